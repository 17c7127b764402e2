"""Who is written to when signing in was paused: the clinic's own address, if it has named one."""

from __future__ import annotations

from mbc.store.accounts.clinic_settings import read_setting, require_address, write_setting
from mbc.store.accounts.sign_ins import SignIns
from mbc.store.database import engine as engines

_ADDRESS = "pause notice address"


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
