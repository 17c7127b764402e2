"""What an operator may decide about the pages: how long a sign-in lasts, and whether the way in is encrypted."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from dashboards.provider_settings import ProviderSettings
from mbc.care.askings.settings import AskingSettings
from mbc.errors import SettingsError

_SHORTEST_KEY = 32
_LONGEST_HOURS = 24  # the record remembers for two days which sign-ins were handed back


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one running server.

    Parameters
    ----------
    secret_key : str
        Signs the session cookie; at least 32 characters.
    https : bool
        Whether browsers reach the server over https (through a proxy): cookies are then never sent in clear.
    idle_minutes : float
        A sign-in unused for longer has ended.
    absolute_hours : float
        No sign-in lasts longer than this; at most 24.
    models : Path, optional
        Folder with model files, used instead of the clinic's own expected courses.
    port : int, optional
        Where the server listens: cookies of two servers on one machine do not replace each other.
    hosts : frozenset of str
        Names that people may call the server by, besides this machine's own; none named, any is answered.
    busy_seconds : float
        How long a visitor waits, each time, while somebody else writes; then they are asked to come back.
    today : date, optional
        The day that every page is read on; the real one unless given (the demo has a fixed day).
    synthetic : bool
        Whether nobody on record exists: every page is marked.
    personal : bool
        Whether one person runs this on their own computer (``mbc start``): pages may name commands to type.
    asking : AskingSettings, optional
        What the clinic has decided about asking clients, with the place of the box; without it nobody is asked.
    clock : callable
        Seconds since the epoch; tests turn it.
    provider : ProviderSettings, optional
        The clinic's own directory, as a way to sign in.

    Raises
    ------
    SettingsError
        If the key is short, or a timeout is not positive or too long.

    Examples
    --------
    >>> Settings(secret_key="x" * 32).idle_minutes
    30
    """

    secret_key: str
    https: bool = False
    idle_minutes: float = 30
    absolute_hours: float = 10
    models: Path | None = None
    port: int | None = None
    hosts: frozenset[str] = frozenset()
    busy_seconds: float = 2
    today: dt.date | None = None
    synthetic: bool = False
    personal: bool = False
    asking: AskingSettings | None = None
    clock: Callable[[], float] = time.time
    provider: ProviderSettings | None = None

    @property
    def cookie(self) -> str:
        """Name the session cookie; browsers send a cookie to every port of a host."""
        if self.https:
            return "__Host-mbc"  # sent to this host alone, over https alone
        return "mbc" if self.port is None else f"mbc_{self.port}"

    def __post_init__(self) -> None:
        if len(self.secret_key) < _SHORTEST_KEY:
            raise SettingsError(
                f"The secret key has {len(self.secret_key)} characters; it needs {_SHORTEST_KEY} or more. "
                "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
            )
        for name in ("idle_minutes", "absolute_hours"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} must be > 0, got {getattr(self, name)}.")
        if self.absolute_hours > _LONGEST_HOURS:
            raise SettingsError(f"absolute_hours is {self.absolute_hours}; at most {_LONGEST_HOURS} is accepted.")
