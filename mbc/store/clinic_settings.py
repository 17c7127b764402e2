"""What a clinic decides about signals and risk answers: kept in the record, each change in the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from mbc.errors import AccessDenied, SettingsError
from mbc.store.accounts.clinic_settings import read_setting, write_setting
from mbc.store.audit.log import lock_log
from mbc.store.database import engine as engines
from mbc.store.schema.validation import is_id
from mbc.store.view import RecordView

_SIGNALS, _SECOND = "signal rules", "second person for flags"
_MOST_DAYS, _MOST_SESSIONS = 365, 52


@dataclass(frozen=True, slots=True)
class SignalRules:
    """How often the same signal asks, and after how many sessions it is looked at again.

    Examples
    --------
    >>> SignalRules().cooldown_days, SignalRules().follow_sessions
    (28, 4)
    """

    cooldown_days: int = 28  # a signal that was answered rests for so long
    follow_sessions: int = 4  # what followed is judged after so many further sessions

    def __post_init__(self) -> None:
        for name, most in (("cooldown_days", _MOST_DAYS), ("follow_sessions", _MOST_SESSIONS)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
                raise SettingsError(f"{name} is {value!r}; it must be a number from 1 to {most}.")


class ClinicSettings(RecordView):
    """The part of a store that keeps what the clinic decided about signals and risk answers."""

    def signal_rules(self) -> SignalRules:
        """Give the clinic's rules for signals."""
        kept: dict[str, Any] = self._setting(_SIGNALS) or {}
        return SignalRules(**kept)

    def set_signal_rules(self, rules: SignalRules) -> None:
        """Change the clinic's rules for signals.

        Raises
        ------
        AccessDenied
            Without the permission ``accounts:manage``: the rules are the clinic's, not one user's.
        """
        with self._changing() as connection:
            write_setting(connection, self.audit, _SIGNALS, asdict(rules))

    def second_person_items(self) -> tuple[str, ...]:
        """Name the risk answers that a second person looks at: "phq9.i9", or "hits" for all of a questionnaire.

        Raises
        ------
        AccessDenied
            Without the permission ``safety:read`` or ``accounts:manage``.
        """
        with self._audited("safety settings", None, logged=False):
            if not self._scope.has_permission("accounts:manage"):
                self._scope.require("safety:read")
        return tuple(self._setting(_SECOND) or ())

    def set_second_person_items(self, items: Collection[str]) -> None:
        """Choose the risk answers that a second person looks at.

        Raises
        ------
        AccessDenied
            Without the permission ``accounts:manage``; and if an administrator leaves out what is chosen
            already: that is for the operator.
        SettingsError
            If one is not the name of a questionnaire or of one of its items.
        """
        for item in items:
            if not all(is_id(part) for part in item.split(".")) or item.count(".") > 1:
                raise SettingsError(f"'{item}' is not accepted: write 'phq9.i9', or 'hits' for all its items.")
        with self._changing() as connection:
            dropped = set(read_setting(connection, _SECOND) or ()) - set(items)
            if dropped and self._scope.user is not None:
                raise AccessDenied(
                    f"{', '.join(sorted(dropped))} would no longer need a second person: only the operator can "
                    "decide that, with 'mbc user second-person'."
                )
            write_setting(connection, self.audit, _SECOND, sorted(set(items)))

    def _setting(self, name: str) -> Any:
        with self._reading() as connection:
            return read_setting(connection, name)

    @contextmanager
    def _changing(self) -> Generator[Connection]:
        """Open the transaction of a change by whoever manages the clinic's settings."""
        with self._audited("settings", None, logged=False):
            if self._scope.masked:
                raise AccessDenied(f"{self._scope.who} may not change the clinic's settings.")
            self._scope.require("accounts:manage")
            with engines.writing(self._engine) as connection:
                lock_log(connection)  # two changes at the same moment: the second sees what the first decided
                yield connection
