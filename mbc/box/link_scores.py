"""A client's own earlier scores in the box: each link has an encrypted block of the same size, and most are empty.

::

    token ──< link_scores     locked with the token of the link, of which the box has only a digest
    visit ──< visit_scores    the same, locked with the secret of the visit, likewise

Whoever has the file learns neither the scores nor whether there are any. Whoever has taken over the program reads
them once the link is opened. What a code opens has no block: a tablet goes from hand to hand, and a
code is too short to be a key.
"""

from __future__ import annotations

from typing import Any

from mbc.box.content import EarlierScores
from mbc.box.seal import lock_scores, unlock_scores
from mbc.box.token import digest

Connection = Any  # of whichever SQLite there is


def add_to_link(connection: Connection, token: str, scores: EarlierScores | None) -> None:
    """Put scores, or none, to a link that is in the box."""
    content = lock_scores(token, "" if scores is None else scores.to_json())
    connection.execute(
        "INSERT OR IGNORE INTO link_scores (digest, content) SELECT digest, ? FROM token WHERE digest = ?",
        (content, digest(token)),
    )


def add_to_visit(connection: Connection, secret: str, token: str) -> None:
    """Carry the scores of a link over to a visit that was begun with it; without a token, none."""
    row = connection.execute("SELECT content FROM link_scores WHERE digest = ?", (digest(token),)).fetchone()
    text = "" if row is None else unlock_scores(token, row[0])
    values = (digest(secret), lock_scores(secret, text))
    connection.execute("INSERT INTO visit_scores (digest, content) VALUES (?, ?)", values)


def scores_of_visit(connection: Connection, secret: str) -> EarlierScores | None:
    """Read the scores of a visit; None where there are none."""
    row = connection.execute("SELECT content FROM visit_scores WHERE digest = ?", (digest(secret),)).fetchone()
    text = "" if row is None else unlock_scores(secret, row[0])
    return EarlierScores.from_json(text) if text else None


def remove_from_links(connection: Connection, number: int) -> None:
    """Remove the scores from the links of an asking that has ended: one that a browser remembers is no key."""
    connection.execute(
        "DELETE FROM link_scores WHERE digest IN (SELECT digest FROM token WHERE number = ?)", (number,)
    )
