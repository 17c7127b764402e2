"""``mbc serve``: start the web app on one record."""

from __future__ import annotations

import ipaddress
import signal
import sys
import threading
from contextlib import ExitStack
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click

from mbc.cli.askings import box_path, companion, read_settings_of, settings_of_pages, settings_option
from mbc.cli.options import instruments_option, models_option, store_option
from mbc.distribution import install_hint
from mbc.errors import SettingsError

_NEEDED = ("dash", "dash_ag_grid", "dash_mantine_components", "flask_login", "waitress")


@click.command("serve")
@store_option
@instruments_option
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8050, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 chooses a free one."
)
@click.option(
    "--https/--no-https",
    default=False,
    help="Browsers connect over https, through a proxy: cookies are never sent unencrypted.",
)
@click.option("--proxy", default="127.0.0.1", show_default=True, help="With --https: the proxy's own address.")
@click.option(
    "--host-name",
    "host_names",
    multiple=True,
    metavar="NAME",
    help="Host name that people type; others are refused. May be given several times.",
)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Number of worker processes, up to one per core (Linux and macOS).",
)
@click.option(
    "--idle-minutes", default=30.0, show_default=True, help="Minutes without activity after which a sign-in ends."
)
@models_option
@settings_option
@click.option(
    "--questionnaire/--no-questionnaire",
    default=True,
    show_default=True,
    help="With --settings: also start the clients' questionnaire and the collection of answers.",
)
@click.option(
    "--questionnaire-port",
    default=8051,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="With --settings: port of the clients' questionnaire, on the same address.",
)
@click.option(
    "--sign-in",
    "sign_in_file",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MBC_SIGN_IN",
    show_envvar=True,
    metavar="FILE",
    help="Settings for sign-in through the clinic's own directory (OpenID Connect), as TOML.",
)
@click.option(
    "--log", "log_format", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="Format of the events on standard error; no event names a person.",
)  # fmt: skip
@click.option(
    "--debug-log",
    is_flag=True,
    help="Add tracebacks to the log. They may contain data from the record: use only to investigate a fault.",
)
def command(  # noqa: PLR0913 - one for each option
    *,
    store_url: str,
    host: str,
    port: int,
    https: bool,
    proxy: str,
    host_names: tuple[str, ...],
    workers: int,
    idle_minutes: float,
    models_folder: Path | None,
    settings_file: Path | None,
    questionnaire: bool,
    questionnaire_port: int,
    sign_in_file: Path | None,
    log_format: Literal["text", "json"],
    debug_log: bool,
) -> None:
    """Start the web app on a record; Ctrl-C stops it, after the answers that are under way.

    Nobody gets in without an account: see 'mbc user'. The key that signs the cookies is made at the first start
    and kept next to an SQLite file; for PostgreSQL name a file in MBC_SECRET_KEY_FILE, or set MBC_SECRET_KEY.

    With the clinic's settings about asking (--settings), clients are asked from their page. The clients'
    questionnaire is started too, in a process that cannot reach the record, and answers are collected every
    minute; with --no-questionnaire both are left to others ('mbc questionnaire', 'mbc collect').
    """
    require_pages()
    from dashboards.provider_settings import read_provider  # noqa: PLC0415
    from dashboards.server import preparation  # noqa: PLC0415 - the pages are loaded only when they are served
    from dashboards.server.log import set_up_log  # noqa: PLC0415
    from dashboards.server.run import Serving, listen, require_workers, serve  # noqa: PLC0415
    from dashboards.settings import Settings  # noqa: PLC0415
    from dashboards.web.rate_limit import RateLimits  # noqa: PLC0415

    end_cleanly()
    require_workers(workers)
    provider = read_provider(sign_in_file)
    prepared = (preparation.prepare if workers == 1 else preparation.prepare_aside)(store_url)
    for warning in prepared.warnings:
        click.secho(warning, fg="yellow", err=True)
    listening = listen(host, port)
    settings = Settings(
        secret_key=prepared.secret_key,
        https=https,
        idle_minutes=idle_minutes,
        models=models_folder,
        port=listening.getsockname()[1],
        hosts=frozenset(host_names),
        asking=settings_of_pages(settings_file, store_url),
        provider=provider,
    )
    set_up_log(log_format, debug=debug_log)
    _warn(host, https=https, named=bool(host_names))
    opening = partial(preparation.open_prepared, store_url, settings, RateLimits(), prepared.passphrase)
    serving = Serving(opening, listening, proxy=proxy if https else None)
    with ExitStack() as companions:
        if settings_file is not None and questionnaire:
            for line in start_questionnaire(companions, store_url, settings_file, host, questionnaire_port):
                click.echo(line)
        serve(serving, workers=workers, ready=_say_ready)


def start_questionnaire(
    companions: ExitStack,
    store_url: str,
    settings_file: Path,
    host: str,
    port: int,
    *,
    every: int = 60,
    day: str | None = None,
) -> list[str]:
    """Start the clients' questionnaire, and what collects its answers; gives what they say when they are ready.

    Parameters
    ----------
    companions : ExitStack
        Ends both.
    store_url, settings_file, host, port : str, Path, str, int
        Of the record, of the settings about asking, and where clients come in.
    every : int
        Seconds between two rounds of collecting.
    day : str, optional
        Which day the answers are dated by.
    """
    require_questionnaire()
    box = box_path(read_settings_of(settings_file), store_url)
    asking = ["questionnaire", "--box", str(box), "--host", host, "--port", str(port)]
    collecting = ["collect", "--store", store_url, "--settings", str(settings_file), "--every", str(every)]
    collecting += ["--day", day] if day else []
    lines = [
        companions.enter_context(companion(asking, has_record=False)).rstrip(),
        companions.enter_context(companion(collecting, has_record=True)).rstrip(),
    ]
    if not all(lines):
        raise SettingsError("The questionnaire did not start; the reason is shown above.")
    return lines


def _warn(host: str, *, https: bool, named: bool) -> None:
    """Say what leaves a server less safe than it could be."""
    if not https and not _stays_here(host):
        click.secho(
            "Passwords and records travel unencrypted to this address. Put an https proxy in front: --https",
            fg="yellow",
            err=True,
        )
    if not named and (https or not _stays_here(host)):
        click.secho("Any host name is accepted. Name the one that people use: --host-name", fg="yellow", err=True)


def require_pages() -> None:
    """Raise SettingsError unless the packages that the pages need are there."""
    for name in _NEEDED:
        if find_spec(name) is None:
            raise SettingsError(f"The web app needs '{name}'. Install it: {install_hint('dashboards')}")


def require_questionnaire() -> None:
    """Raise SettingsError unless the packages that the client's questionnaire needs are there."""
    for name in ("flask", "waitress"):
        if find_spec(name) is None:
            raise SettingsError(f"The questionnaire needs '{name}'. Install it: {install_hint('dashboards')}")


def end_cleanly() -> None:
    """Let a polite stop (SIGTERM) end the program as Ctrl-C does: what was set up is taken down."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def _say_ready(address: str) -> None:
    click.echo(f"Serving on {address}  (Ctrl-C stops)")
    sys.stdout.flush()  # read by programs that wait for it


def _stays_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
