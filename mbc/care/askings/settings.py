"""What a clinic decides about asking: where clients answer, for how long, in which words they are reminded."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mbc.box.content import MOST_PER_PAGE
from mbc.errors import SettingsError

_DEFAULT_ADDRESS = "http://127.0.0.1:8051"
_TEXTS: dict[str, tuple[str, str]] = {  # neutral: nothing of what it is about, or of who sends it
    "en": ("A few minutes", "Here is the page:\n\n{link}\n\nIt can be used until {until}."),
    "de": ("Ein paar Minuten", "Hier ist die Seite:\n\n{link}\n\nSie ist bis {until} offen."),
    "es": ("Unos minutos", "Esta es la página:\n\n{link}\n\nPuede usarla hasta el {until}."),
    "fr": ("Quelques minutes", "Voici la page :\n\n{link}\n\nElle est ouverte jusqu’au {until}."),
    "nl": ("Een paar minuten", "Hier is de pagina:\n\n{link}\n\nU kunt hem gebruiken tot {until}."),
}


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class MessageText(_Entry):
    """The words of a message in one language; ``{link}`` stands in the text once, ``{until}`` may."""

    subject: Annotated[str, Field(min_length=1, max_length=120, pattern=r"^[^\r\n]+$")]
    text: Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\{link\}")]


class Mail(_Entry):
    """The clinic's own mail server."""

    server: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password_file: str | None = None
    sender: Annotated[str, Field(pattern=r"^[^\r\n]*@[^\r\n]+$")]
    contacts: str | None = None  # a CSV file: client_id, address
    texts: dict[str, MessageText] = {}

    def words(self, language: str) -> MessageText:
        """Give the words of a language: the clinic's, else neutral ones."""
        main = language.split("-", maxsplit=1)[0]
        chosen = self.texts.get(language) or self.texts.get(main)
        subject, text = _TEXTS.get(main, _TEXTS["en"])
        return chosen or MessageText(subject=subject, text=text)


class AskingSettings(_Entry):
    """The clinic's settings; each has a default.

    Examples
    --------
    >>> AskingSettings().expires_days, AskingSettings(help={"en": "Call 112."}).help_text("en-GB")
    (4, 'Call 112.')
    """

    address: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]*)?$")] = _DEFAULT_ADDRESS
    box: str | None = None
    language: str = "en"
    expires_days: Annotated[int, Field(ge=1, le=60)] = 4
    remind_after_days: Annotated[int, Field(ge=1, le=59)] = 2
    reminders: Annotated[int, Field(ge=0, le=5)] = 1
    questions_a_page: Annotated[int, Field(ge=1, le=MOST_PER_PAGE)] = 1
    leave_to: Annotated[str, Field(pattern=r"^(https?://|/)[^\s\"'<>]*$")] = "https://www.wikipedia.org/"
    help: dict[str, Annotated[str, Field(min_length=1, max_length=2000)]] = {}
    batteries: dict[str, Annotated[list[str], Field(min_length=1)]] = {"weekly": ["checkin"]}
    mail: Mail | None = None

    def help_text(self, language: str) -> str | None:
        """Give the clinic's words to a client who needs help; None where there are none in that language."""
        return self.help.get(language) or self.help.get(language.split("-", maxsplit=1)[0])

    def link(self, token: str) -> str:
        """Write the link of a token."""
        return f"{self.address.rstrip('/')}/f/{token}"


def read_settings(path: Path | None) -> AskingSettings:
    """Read the clinic's settings; the defaults where there is no file. Files named in it are relative to it.

    Raises
    ------
    SettingsError
        Naming what is wrong in it.
    """
    if path is None:
        return AskingSettings()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = AskingSettings.model_validate(content)
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"The settings {path} cannot be read: {why}.") from None
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"The settings {path} cannot be read as TOML: {fault}.") from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"The settings {path}, {where}: {first['msg']}; got {first['input']!r}.") from None
    folder = path.resolve().parent
    mail = settings.mail
    if mail is not None:
        password = None if mail.password_file is None else str(folder / mail.password_file)
        contacts = None if mail.contacts is None else str(folder / mail.contacts)
        mail = mail.model_copy(update={"contacts": contacts, "password_file": password})
    box = None if settings.box is None else str(folder / settings.box)
    return settings.model_copy(update={"box": box, "mail": mail})


def require_private(path: Path, what: str) -> None:
    """Refuse a file that others on this machine can read.

    Raises
    ------
    SettingsError
        If they can, or if there is none.
    """
    try:
        mode = path.stat().st_mode
    except OSError as fault:
        raise SettingsError(f"The {what} {path} cannot be read: {fault.strerror}.") from None
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise SettingsError(f"The {what} {path} can be read by others. Repair: chmod 600 '{path}'")
