"""The clinic's own directory as a way to sign in: its settings, read from a TOML file."""

from __future__ import annotations

import ipaddress
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from mbc.distribution import install_hint
from mbc.errors import SettingsError

Match = Literal["subject", "email", "preferred_username"]


class ProviderSettings(BaseModel):
    """One OpenID Connect provider.

    Parameters
    ----------
    name : str
        On the sign-in page.
    issuer : str
        As the provider writes it in its tokens.
    client_id, client_secret : str
        What the provider knows this application by.
    address : str
        The address by which people come here; the provider sends them back to it.
    match : {"subject", "email", "preferred_username"}
        How an account is found: by the subject that an administrator named, or also by a verified mail address or
        a user name that is the account's name here.
    second_factor : {"mbc", "provider"}
        Who asks for it.
    acr : list of str
        With ``second_factor = "provider"``: sign-ins without one of these classes are refused.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=40)] = "the clinic's account"
    issuer: str
    client_id: Annotated[str, Field(min_length=1, max_length=255)]
    client_secret: Annotated[str, Field(min_length=8, repr=False)]
    address: str
    match: Match = "subject"
    second_factor: Literal["mbc", "provider"] = "mbc"
    acr: tuple[str, ...] = ()

    @field_validator("issuer", "address")
    @classmethod
    def _is_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.query or parts.fragment or parts.username or not parts.hostname:
            raise ValueError("an address such as https://id.clinic.example is needed, without query")
        if parts.scheme != "https" and not (parts.scheme == "http" and _is_here(parts.hostname)):
            raise ValueError("https is needed: passwords and tokens travel there")
        return value

    @model_validator(mode="after")
    def _acr_belongs_to_the_provider(self) -> Self:
        if self.acr and self.second_factor != "provider":
            raise ValueError('acr is for second_factor = "provider" only')
        return self

    def link(self, path: str) -> str:
        """Write an address of this application, as people and the provider reach it."""
        return f"{self.address.rstrip('/')}{path}"


def read_provider(path: Path | None) -> ProviderSettings | None:
    """Read the clinic's settings about its provider; None where there is no file.

    Files that it names are relative to it.

    Raises
    ------
    SettingsError
        Naming what is wrong in it, or what has to be installed.
    """
    if path is None:
        return None
    if find_spec("authlib") is None:
        raise SettingsError(f"Sign-in through a provider needs 'authlib'. Install it: {install_hint('sign-in')}")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        why = fault.strerror if isinstance(fault, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"The settings {path} cannot be read: {why}.") from None
    except tomllib.TOMLDecodeError as fault:
        raise SettingsError(f"The settings {path} cannot be read as TOML: {fault}.") from None
    section = content.pop("provider", None)
    if content or not isinstance(section, dict):
        raise SettingsError(f"The settings {path} need one section, [provider], and nothing else.")
    if "client_secret" in section or not isinstance(section.get("client_secret_file"), str):
        raise SettingsError(
            f"The settings {path}: name a file that holds the client's secret, with client_secret_file."
        )
    secret = _secret(path.resolve().parent / section.pop("client_secret_file"))
    acr = section.get("acr", [])
    try:
        return ProviderSettings(
            **{**section, "client_secret": secret, "acr": tuple(acr) if isinstance(acr, list) else acr}
        )
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "provider"
        given = "" if first["loc"] in ((), ("client_secret",)) else f"; got {first['input']!r}"
        raise SettingsError(f"The settings {path}, {where}: {first['msg']}{given}.") from None


def _secret(path: Path) -> str:
    from mbc.care.askings.settings import require_private  # noqa: PLC0415 - most servers have no provider

    require_private(path, "file of the client's secret")
    return path.read_text(encoding="utf-8").strip()


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
