"""Which new clients may be somebody who is known already, written in another way."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mbc.exchange.files.messages import join_names

_MOST = 5  # groups that are named


def look_alikes(new: Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Name new clients whose identifiers differ from others' only in case, punctuation, leading zeros or a prefix.

    Parameters
    ----------
    new, known : iterable of str
        Identifiers of clients to register, and of those on record.

    Examples
    --------
    >>> look_alikes(["c-01", "X7"], ["C-01", "C-02"])
    ("1 new client may be known in another spelling: 'c-01' and 'C-01' (on record). Are they the same person?",)
    """
    new, on_record = list(dict.fromkeys(new)), set(known)
    groups: dict[str, list[str]] = {}
    for client in dict.fromkeys([*new, *sorted(on_record)]):
        groups.setdefault(_folded(client), []).append(client)
    bare = {key: members for key, members in groups.items() if key.isdecimal()}
    for key, members in list(groups.items()):
        digits = re.fullmatch(r"[a-z]{1,3}(\d+)", key)
        if digits is not None and digits[1] in bare:
            members.extend(bare[digits[1]])
            groups.pop(digits[1], None)  # named once
    fresh = set(new)
    alike = [members for members in groups.values() if len(members) > 1 and fresh & set(members)]
    doubtful = {client for members in alike for client in members if client in fresh}
    named = [
        " and ".join(
            f"{join_names([client])}{' (on record)' if client in on_record else ''}" for client in members
        )
        for members in alike[:_MOST]
    ]
    if not named:
        return ()
    more = f"; and {len(alike) - _MOST} more" if len(alike) > _MOST else ""
    may_be = "1 new client may be" if len(doubtful) == 1 else f"{len(doubtful)} new clients may be"
    return (f"{may_be} known in another spelling: {'; '.join(named)}{more}. Are they the same person?",)


def _folded(client: str) -> str:
    """Forget case, punctuation and leading zeros."""
    parts = re.findall(r"[a-z]+|\d+", client.casefold())
    return "".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)
