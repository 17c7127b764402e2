"""``mbc serve``: start the web app on one record."""

from __future__ import annotations

import ipaddress
import signal
import threading
from pathlib import Path

import click

from mbc.cli.options import instruments_option, models_option, store_option, use_definitions
from mbc.distribution import install_hint
from mbc.errors import SettingsError


@click.command("serve")
@store_option
@instruments_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8050, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 takes a free one."
)
@click.option(
    "--https/--no-https",
    default=False,
    help="Browsers come over https, through a proxy: cookies are never sent in clear.",
)
@click.option(
    "--proxy", default="127.0.0.1", show_default=True, help="With --https: address that the proxy connects from."
)
@click.option("--idle-minutes", default=30.0, show_default=True, help="Sign-ins end when left alone for longer.")
@models_option
@click.option(
    "--key", envvar="MBC_SECRET_KEY", hidden=True, help="Signs the cookies; kept next to an SQLite file."
)
def command(
    *,
    store_url: str,
    host: str,
    port: int,
    https: bool,
    proxy: str,
    idle_minutes: float,
    models_folder: Path | None,
    key: str | None,
) -> None:
    """Start the web app on a record; Ctrl-C stops it.

    Nobody gets in without an account: see 'mbc user'. The key that signs the cookies is made at the first start
    and kept next to an SQLite file; for PostgreSQL set MBC_SECRET_KEY.
    """
    require_pages()
    from dashboards.app import open_app  # noqa: PLC0415 - the pages are loaded only when they are served
    from dashboards.server import serve  # noqa: PLC0415
    from dashboards.settings import Settings  # noqa: PLC0415
    from dashboards.web.secret_key import secret_key  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    end_cleanly()
    with Store.open(store_url) as store:  # a key is made only for a record that exists
        use_definitions(store)
    settings = Settings(
        secret_key=secret_key(store_url, given=key), https=https, idle_minutes=idle_minutes, models=models_folder
    )
    with open_app(store_url, settings) as app:
        if not https and not _stays_here(host):
            click.secho(
                "Passwords and records travel unencrypted to this address. Put an https proxy in front: --https",
                fg="yellow",
                err=True,
            )
        serve(app, host=host, port=port, https_proxy=proxy if https else None, ready=_say_ready)


def require_pages() -> None:
    """Raise SettingsError unless the packages that the pages need are there."""
    try:
        import dash  # noqa: F401, PLC0415
        import dash_ag_grid  # noqa: F401, PLC0415
        import dash_mantine_components  # noqa: F401, PLC0415
        import flask_login  # noqa: F401, PLC0415
        import waitress  # noqa: F401, PLC0415
    except ModuleNotFoundError as fault:
        raise SettingsError(
            f"The web app needs '{fault.name}'. Install it: {install_hint('dashboards')}"
        ) from None


def end_cleanly() -> None:
    """Let a polite stop (SIGTERM) end the program as Ctrl-C does: what was set up is taken down."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _say_ready(address: str) -> None:
    click.echo(f"Serving on {address}  (Ctrl-C stops)")


def _stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
