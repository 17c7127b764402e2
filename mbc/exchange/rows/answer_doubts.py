"""Whether the answers of a file look as if they were numbered otherwise than they are read.

Nothing in such a file states its coding, so only the answers can show it. A doubt refuses all answers to the
questionnaire: to store only those that happen to fit would store them wrongly.
"""

from __future__ import annotations

from mbc.exchange.header.questionnaires import Questionnaire
from mbc.exchange.rows.parsed import Seen

_MANY = 100  # answers; fewer may avoid an end of the scale by chance
_STEPS = 6  # of a scale on which nobody may reach the top by chance


def doubt(seen: Seen) -> str | None:
    """Say why the answers to a questionnaire seem to be in another coding; None where they do not.

    Parameters
    ----------
    seen : Seen
        Of all answers of the file.
    """
    questionnaire = seen.questionnaire
    name, key = questionnaire.instrument.name, questionnaire.instrument.key
    lows, highs = zip(*questionnaire.accepted(), strict=True)
    if seen.stated or not seen.extremes or len(set(lows)) != 1 or len(set(highs)) != 1:
        return None
    low, high, coding = lows[0], highs[0], questionnaire.coding.key
    confirm = f"If they are coded {coding} after all: --coding {key}={coding}"
    renumber = f'Otherwise say what each counts as in a mapping file: [values.{key}] "{low + 1}" = {low} and so on'
    if seen.at_lowest == 0 and seen.one_above and not seen.beyond:
        return (
            f"{name}: no answer of {seen.count} is {low} and {seen.one_above} {_are(seen.one_above)} {high + 1}, "
            f"so they seem to be numbered {low + 1} to {high + 1}, not {low} to {high}. {renumber}. {confirm}"
        )
    if seen.at_lowest == 0 and seen.count >= _MANY and not seen.beyond and _counts_symptoms(questionnaire):
        return (
            f"{name}: no answer of {seen.count} is {low}, the answer of those who have no complaint, so they seem "
            f"to be numbered from {low + 1}. {renumber}. {confirm}"
        )
    top = max(last for _, last in seen.extremes.values())
    is_long = high - low >= _STEPS - 1
    if is_long and seen.count >= 2 * _MANY and top <= high - 2 and _is_keyed_both_ways(questionnaire):
        return (
            f"{name}: no answer of {seen.count} is above {top:g}, but its answers go from {low} to {high}. Was "
            f"another response scale used? {confirm}"
        )
    return None


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _counts_symptoms(questionnaire: Questionnaire) -> bool:
    """Whether the lowest answer says that there is nothing to complain of."""
    scales = questionnaire.instrument.scales
    return not any(scale.higher_is_better or scale.reverse for scale in scales)


def _is_keyed_both_ways(questionnaire: Questionnaire) -> bool:
    """Whether some items are reversed, so that everybody has answers at both ends."""
    return any(scale.reverse for scale in questionnaire.instrument.scales)
