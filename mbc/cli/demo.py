"""``mbc demo``: the web app with a synthetic clinic, in one command."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mbc.cli.askings import settings_of_pages
from mbc.cli.browser import open_browser
from mbc.cli.serve import end_cleanly, require_pages, start_questionnaire
from mbc.errors import Conflict

if TYPE_CHECKING:
    from mbc.store import Role, Store

_WORDS = (
    "amber", "anchor", "autumn", "barley", "beacon", "birch", "bramble", "candle", "cedar", "clover", "copper",
    "coral", "cotton", "dapple", "ember", "fern", "flint", "garden", "ginger", "harbour", "hazel", "heron",
    "indigo", "island", "ivory", "juniper", "kettle", "lantern", "lemon", "linen", "maple", "marble", "meadow",
    "mellow", "mirror", "nettle", "oaken", "olive", "orchard", "otter", "paper", "pebble", "pepper", "petal",
    "plum", "quartz", "quiet", "ribbon", "river", "saffron", "silver", "sparrow", "spruce", "thistle", "timber",
    "tulip", "velvet", "violet", "walnut", "willow", "window", "winter", "yarrow", "zephyr",
)  # fmt: skip


_SAFETY = ("safety:read",)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who may sign in to the demo."""

    username: str
    role: Role
    about: str
    clinician_id: str | None = None
    supervises: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()


@click.command("demo")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8050, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 chooses a free one."
)
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Create the clinic in this new folder and keep it; otherwise it is removed at the end.",
)
@click.option("--open", "browser", is_flag=True, help="Open the browser.")
def command(*, host: str, port: int, keep: Path | None, browser: bool) -> None:
    """Make a synthetic clinic and start the web app on it; Ctrl-C stops it.

    Sign-in details are printed. Each demo has its own password, generated or taken from MBC_PASSWORD.
    Nobody in the clinic exists.
    """
    require_pages()
    from dashboards.app import open_app  # noqa: PLC0415 - the pages are loaded only when they are served
    from dashboards.server.log import set_up_log  # noqa: PLC0415
    from dashboards.server.run import Serving, listen, serve  # noqa: PLC0415
    from dashboards.settings import Settings  # noqa: PLC0415
    from dashboards.web.secret_key import secret_key  # noqa: PLC0415

    end_cleanly()
    password = os.environ.get("MBC_PASSWORD") or _made_up()
    with _place(keep) as folder:
        url = f"sqlite:///{folder / 'clinic.db'}"
        with Console(stderr=True).status("Creating a synthetic clinic ..."):
            people = make_clinic(url, folder, password)
        day = last_day(url)
        listening = listen(host, port)
        set_up_log("text")
        with ExitStack() as companions:
            asking = _ask(companions, url, folder, host, port + 1 if port else 0, day)
            settings = Settings(
                secret_key=secret_key(url),
                port=listening.getsockname()[1],
                today=day,
                synthetic=True,
                asking=settings_of_pages(folder / "asking.toml", url),
            )
            serve(
                Serving(partial(open_app, url, settings), listening),
                ready=_Introduction(people, password, keep, day, asking, browser=browser).show,
            )


def _ask(companions: ExitStack, url: str, folder: Path, host: str, port: int, day: dt.date) -> str:
    """Start the questionnaire, and ask the first client with a story; says where, in words."""
    from mbc.box.box import Box  # noqa: PLC0415
    from mbc.care.askings.ask import ask  # noqa: PLC0415
    from mbc.care.askings.settings import read_settings  # noqa: PLC0415
    from mbc.simulate import STORIES  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    file = folder / "asking.toml"
    file.write_text(
        'box = "clinic.box"\nhelp.en = "Nobody here exists. Should you need help, call 112."\n', "utf-8"
    )
    ready, _ = start_questionnaire(companions, url, file, host, port, every=2, day=day.isoformat())
    address = ready.split()[2]
    file.write_text(f'address = "{address}"\n' + file.read_text("utf-8"), "utf-8")
    settings, alias = read_settings(file), STORIES[0].alias
    with Store.open(url) as store, closing(Box(folder / "clinic.box")) as box:
        client_id = store.clients().filter(alias=alias)["client_id"][0]
        made = ask(store, box, settings, client_id, ["checkin"], today=day)
    return f"A weekly check-in for '{alias}' is waiting at {made.link}\n  (or code {made.code} at {address})"


def last_day(url: str) -> dt.date:
    """Give the day on which the demo is read: the last with a session, so that nothing in it grows old."""
    from mbc.store import Store  # noqa: PLC0415

    with Store.open(url) as store:
        return _last_day(store)


def _last_day(store: Store) -> dt.date:
    return max(store.sessions()["held_on"].to_list())


def make_clinic(url: str, folder: Path, password: str) -> tuple[DemoAccount, ...]:
    """Make the record of the demo and its accounts.

    Parameters
    ----------
    url : str
        Address of the record; there is none yet.
    folder : Path
        Where its files are written, in the layout that ``mbc import`` reads.
    password : str
        Of every account.
    """
    from mbc import simulate  # noqa: PLC0415
    from mbc.care import make_release  # noqa: PLC0415
    from mbc.care.forecast.kept_models import make_models  # noqa: PLC0415
    from mbc.exchange import import_record  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    with Store.create(url) as store:
        import_record(simulate.clinic(alliance=True).write(folder / "files"), store)
        day = _last_day(store)
        list(make_models(store, day))
        for quarter in _quarters_over(day):
            make_release(store, quarter, today=day)
        people = _accounts(store)
        for account in people:
            store.accounts.add(
                account.username,
                password,
                account.role,
                account.clinician_id,
                permissions=account.permissions,
                supervises=account.supervises,
            )
    return people


def _quarters_over(day: dt.date) -> list[str]:
    """Name the two quarters before the one that a day is in, the earlier first.

    Examples
    --------
    >>> _quarters_over(dt.date(2026, 2, 1))
    ['2025-Q3', '2025-Q4']
    """
    count = 4 * day.year + (day.month - 1) // 3
    return [f"{number // 4}-Q{number % 4 + 1}" for number in (count - 2, count - 1)]


def _accounts(store: Store) -> tuple[DemoAccount, ...]:
    from mbc.simulate import STORIES  # noqa: PLC0415

    names = dict(store.clinicians().select("clinician_id", "display_name").iter_rows())
    first, second, *_ = names
    stories = ", ".join(f"'{story.alias}'" for story in STORIES)
    return (
        DemoAccount(_username(names[first]), "clinician", f"clients with a story: {stories}", first, (), _SAFETY),
        DemoAccount(_username(names[second]), "clinician", "another caseload", second),
        DemoAccount(
            "supervisor",
            "supervisor",
            "the clients of every clinician, and how clinicians compare",
            None,
            tuple(names),
            ("clinicians:compare",),
        ),
        DemoAccount("lead", "safety_lead", "safety flags awaiting review, and emergency access"),
        DemoAccount("analyst", "analyst", "the clinic's outcomes, but no client records"),
        DemoAccount("researcher", "researcher", "a de-identified cohort to download, but no client records"),
        DemoAccount("admin", "administrator", "accounts, caseloads, the audit log and erasure; no client records"),
    )


def _username(display_name: str) -> str:
    return "".join(
        letter
        for letter in display_name.rsplit(maxsplit=1)[-1].casefold()
        if letter.isascii() and letter.isalnum()
    )


def _made_up() -> str:
    return "-".join(secrets.choice(_WORDS) for _ in range(4))


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    """Give a folder that only this user can read; it is removed at the end unless it is to be kept."""
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise Conflict(
                f"{keep} is not empty. To serve a clinic kept there: mbc serve --store sqlite:///{keep}/clinic.db"
            )
        keep.mkdir(mode=0o700, parents=True, exist_ok=True)
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="mbc-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Introduction:
    """What is printed once the demo answers."""

    people: tuple[DemoAccount, ...]
    password: str
    keep: Path | None
    day: dt.date
    asking: str
    browser: bool

    def show(self, address: str) -> None:
        """Print where it is, and who may sign in."""
        if self.browser:
            open_browser(address)
        width = max(len(account.username) for account in self.people)
        click.echo(f"A synthetic clinic is open at {address}  (nobody in it exists)\n")
        click.echo(f"Every page is read on {self.day.day} {self.day:%B %Y}, the clinic's last day.\n")
        click.echo("Sign in as one of these users:")
        for account in self.people:
            click.echo(f"  {account.username:<{width}}  {account.role.replace('_', ' ')}: {account.about}")
        click.echo(f"Password of all users:  {self.password}\n")
        click.echo(f"{self.asking};\n  answers given there appear when the client's page is reopened.\n")
        end = " and removes it." if self.keep is None else f"; it stays in {self.keep}."
        click.echo(f"Ctrl-C stops it{end}")
