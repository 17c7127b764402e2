"""Who is written to when signing in was paused: the clinic's own address, if it has named one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from mbc.store.accounts.clinic_settings import read_setting, require_address, write_setting
from mbc.store.accounts.sign_ins import SignIns
from mbc.store.database import engine as engines
from mbc.store.schema import tables as t

_ADDRESS = "pause notice address"
NOTICE_EVERY = timedelta(hours=1)  # somebody who guesses is not to fill a mailbox
_OF_LATE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class PauseNotice:
    """A message that is due."""

    address: str
    claimed_at: datetime


class Notices(SignIns):
    """Notices about the accounts of one record."""

    def notice_address(self) -> str | None:
        """Give who is written to when signing in was paused; None: nobody."""
        with engines.reading(self._engine) as connection:
            address = read_setting(connection, _ADDRESS)
        return None if address is None else str(address)

    def set_notice_address(self, address: str | None) -> None:
        """Say who is written to when signing in was paused; None: nobody.

        Raises
        ------
        SettingsError
            If it is not one plain address.
        """
        kept = None if address is None else require_address(address)
        with engines.writing(self._engine) as connection:
            write_setting(connection, self._audit, _ADDRESS, kept)

    def claim_pause_notice(self) -> PauseNotice | None:
        """Claim the message about pauses that nobody was written to about: one process gets it, hourly at most.

        Returns
        -------
        PauseNotice or None
            None where nothing is due, or the clinic has named no address.
        """
        address, now = self.notice_address(), self._clock()
        if address is None or not self._pause_waits(now):
            return None
        c = t.sign_in_attempt.c
        claim = update(t.sign_in_attempt).where(
            c.paused_until.is_not(None), c.notified_at.is_(None), c.since > now - _OF_LATE
        )
        with engines.writing(self._engine) as connection:
            claimed = connection.execute(claim.values(notified_at=now)).rowcount
        return PauseNotice(address, now) if claimed else None

    def return_pause_notice(self, notice: PauseNotice) -> None:
        """Take a claim back: the message could not be sent, and is due again."""
        c = t.sign_in_attempt.c
        query = update(t.sign_in_attempt).where(c.notified_at == notice.claimed_at)
        with engines.writing(self._engine) as connection:
            connection.execute(query.values(notified_at=None))

    def _pause_waits(self, now: datetime) -> bool:
        c = t.sign_in_attempt.c
        waiting = select(func.count()).where(
            c.paused_until.is_not(None), c.notified_at.is_(None), c.since > now - _OF_LATE
        )
        with engines.reading(self._engine) as connection:
            last = connection.execute(select(func.max(c.notified_at))).scalar()
            return bool(connection.execute(waiting).scalar()) and (last is None or now - last >= NOTICE_EVERY)
