"""Whether the answers of a file look as if they were numbered, or ordered, otherwise than they are read.

Nothing in such a file states its coding or item order, so only the answers can show them. A doubt refuses all
answers to the questionnaire: to store only those that happen to fit would store them wrongly.
"""

from __future__ import annotations

from mbc.exchange.rows.parsed import Seen
from mbc.instruments.scoring.doubts import Doubt, coding_doubt, order_doubt


def doubt(seen: Seen) -> str | None:
    """Say why the answers to a questionnaire seem to be in another coding or item order; None where they do not.

    Parameters
    ----------
    seen : Seen
        Of all answers of the file.
    """
    read_as = seen.questionnaire
    reading = read_as.instrument, read_as.form, read_as.coding
    reason = None if seen.stated else coding_doubt(*reading, seen)
    if reason is None and not seen.form_stated:
        reason = order_doubt(*reading, seen.moments)
    return None if reason is None else f"{read_as.instrument.name}: {reason.text}. {_repair(seen, reason)}"


def _repair(seen: Seen, reason: Doubt) -> str:
    read_as = seen.questionnaire
    key, low = read_as.instrument.key, read_as.accepted()[0][0]
    coded = f"If they are in fact coded {read_as.coding.key}: --coding {key}={read_as.coding.key}"
    ordered = f"If they are in fact in the order of form {read_as.form.key}: --form {key}={read_as.form.key}"
    match reason.kind:
        case "another reading":
            other = [("form", reason.form), ("coding", reason.coding)]
            options = " ".join(f"--{name} {key}={choice}" for name, choice in other if choice is not None)
            return f"If they were asked in that order: {options}. {ordered}"
        case "against the rest":
            return f"Is this the right questionnaire, and are the answers unchanged? {ordered}"
        case "never high":
            scored = f" Answers on {reason.coding} can be scored: mbc score FILE {key} --coding {reason.coding}."
            return f"Was another response scale used?{scored if reason.coding else ''} {coded}"
        case _:
            first = low - 1 if reason.kind == "one lower" else low + 1
            renumber = f'[values.{key}] "{first}" = {low} and so on'
            return f"Otherwise say what each counts as in a mapping file: {renumber}. {coded}"
