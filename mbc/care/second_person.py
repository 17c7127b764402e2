"""Which risk answers a clinic can have a second person look at."""

from __future__ import annotations

from collections.abc import Iterable

from mbc.errors import SettingsError
from mbc.instruments.library import instrument, keys
from mbc.instruments.short_names import short_name


def second_person_choices() -> dict[str, str]:
    """List what can be chosen, with words: all risk answers of a questionnaire, or one of them.

    Examples
    --------
    >>> second_person_choices()["phq9.i9"]
    'PHQ-9: i9'
    """
    choices: dict[str, str] = {}
    for key in keys():
        flags = instrument(key).flags
        if flags:
            choices[key] = f"{short_name(key)}: every risk answer"
            choices |= {f"{key}.{flag.item}": f"{short_name(key)}: {flag.item}" for flag in flags}
    return choices


def check_second_person(items: Iterable[str]) -> None:
    """Check that each of these raises a flag.

    Raises
    ------
    SettingsError
        If one does not.
    UnknownInstrument
        If there is no such questionnaire.

    Examples
    --------
    >>> check_second_person(["phq9.i9", "hits"])
    """
    for item in items:
        key, _, named = item.partition(".")
        flags = {flag.item for flag in instrument(key).flags}
        if not flags or (named and named not in flags):
            listed = ", ".join(sorted(flags)) or "none"
            raise SettingsError(f"'{item}' raises no flag; these items of the questionnaire do: {listed}.")
