"""``mbc ask``: ask a client to answer on their own device."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mbc.cli.ask_all_due import ask_all_due, explainer
from mbc.cli.askings import open_box, read_settings_of, settings_option
from mbc.cli.options import as_option, instruments_option, models_option, store_option, view_of

if TYPE_CHECKING:
    from mbc.care.askings.ask import MadeAsking
    from mbc.care.askings.settings import AskingSettings
    from mbc.store import Store


@click.command("ask")
@click.argument("client_id", metavar="[CLIENT]", required=False)
@click.argument("keys", metavar="[INSTRUMENT]...", nargs=-1)
@click.option("--battery", metavar="NAME", help="A battery of the settings: weekly, ...")
@click.option("--due", is_flag=True, help="What the client's plan of measures says is due today.")
@click.option(
    "--all-due",
    is_flag=True,
    help="Email everybody who is due by the plan of measures and has an address on file; intended for a timer.",
)
@click.option("--dry-run", is_flag=True, help="With --all-due: only count who would be asked.")
@click.option("--language", metavar="CODE", help="Language of the loaded wording; default: the clinic's.")
@click.option("--target", metavar="ID", help="Relationship to be rated; default: the current one.")
@click.option("--about", metavar="NAME", help="What client and clinician call the relationship; default: nothing.")
@click.option("--alone", "answers_alone", is_flag=True, help="The client answers alone: for safety screens.")
@click.option("--again", is_flag=True, help="The client, who had opted out, has agreed again.")
@click.option(
    "--goal",
    "goals",
    metavar="GOAL[=WORDS]",
    multiple=True,
    help="A goal for the client to rate, in its own words or in these; may be repeated.",
)
@click.option("--explain", is_flag=True, help="After submitting, the client is shown how progress is measured.")
@click.option(
    "--show-scores",
    is_flag=True,
    help="After submitting, the client is shown their own earlier scores; only with --alone, by the link only.",
)
@click.option("--mail", is_flag=True, help="Email the link to the client's address in the contacts file.")
@click.option(
    "--mail-to", "address", metavar="ADDRESS", help="Email the link to this address, which is not stored."
)
@click.option("--list", "listing", is_flag=True, help="List the requests to CLIENT, or to everybody.")
@click.option("--withdraw", "asking_id", metavar="ASKING", help="End a request: its link no longer works.")
@settings_option
@models_option
@instruments_option
@as_option
@store_option
def command(  # noqa: PLR0913 - one for each option
    *,
    client_id: str | None,
    keys: tuple[str, ...],
    battery: str | None,
    due: bool,
    all_due: bool,
    dry_run: bool,
    language: str | None,
    target: str | None,
    about: str | None,
    answers_alone: bool,
    again: bool,
    goals: tuple[str, ...],
    explain: bool,
    show_scores: bool,
    mail: bool,
    address: str | None,
    listing: bool,
    asking_id: str | None,
    settings_file: Path | None,
    models_folder: Path | None,
    username: str | None,
    store_url: str,
) -> None:
    """Ask a client to answer questionnaires on their own device.

    Prints a link, its QR code, and a code to type on a tablet. Each works once, until it expires, and is shown
    only now: give it to the client in person, or through a channel that nobody else can read. Only loaded wording
    is shown (mbc instruments wording); 'mbc collect' imports the answers into the record.

    With --mail or --mail-to, the link is sent by the clinic's own mail server, in a message that reveals nothing.
    That the server accepted it does not mean that anybody has read it.

    --all-due asks everybody for whom something is due by the plan of measures, once per occasion; it
    prints counts and names nobody. Try it with --dry-run first.
    """
    from mbc.care.askings.ask import AskOptions, ask  # noqa: PLC0415 - the command line stays quick
    from mbc.care.askings.ask import battery as battery_of  # noqa: PLC0415
    from mbc.care.askings.mail import mail_link  # noqa: PLC0415
    from mbc.store import Store  # noqa: PLC0415

    settings = read_settings_of(settings_file)
    if all_due or dry_run:
        _only_all_due(all_due=all_due)
        ask_all_due(settings, store_url, dry_run=dry_run, explain=explain, models_folder=models_folder)
        return
    with Store.open(store_url) as full_store:
        store = view_of(full_store, username)
        if listing:
            _list(store, client_id)
            return
        with closing(open_box(settings, store_url)) as box:
            if asking_id is not None:
                store.withdraw_asking(asking_id)
                box.withdraw(asking_id)
                click.echo(f"The request {asking_id} has ended.")
                return
            if client_id is None:
                raise click.UsageError("Name the client: mbc ask CLIENT INSTRUMENT...")
            to = _address(settings, client_id, mail=mail, address=address)
            wanted = [*keys, *(battery_of(settings, battery) if battery else ())]
            wanted += _due(store, client_id) if due else []
            named = tuple((goal_id, words) for goal_id, _, words in (goal.partition("=") for goal in goals))
            explanation = None
            if explain:
                explanation = explainer(store, full_store, language or settings.language, models_folder)(
                    client_id, wanted
                )
            options = AskOptions(
                language, target, about, answers_alone, again, named, explanation, show_scores=show_scores
            )
            made = ask(store, box, settings, client_id, wanted, options)
    _show(made)
    if to is not None:
        mail_link(settings, made, to)
        click.echo("The mail server accepted the link.")


def _only_all_due(*, all_due: bool) -> None:
    """Refuse what says nothing to ``--all-due``."""
    if not all_due:
        raise click.UsageError("--dry-run works only with --all-due.")
    allowed = {"all_due", "dry_run", "explain", "settings_file", "models_folder", "own_folder", "store_url"}
    context = click.get_current_context()
    given = [
        option.opts[0]
        for option in context.command.params
        if option.name not in allowed
        and context.get_parameter_source(str(option.name)) == click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        raise click.UsageError(f"--all-due asks everybody by the plan; leave out {', '.join(given)}.")


def _due(store: Store, client_id: str) -> list[str]:
    from mbc.care.askings.due import due_keys  # noqa: PLC0415 - as above
    from mbc.errors import MbcError  # noqa: PLC0415

    keys = due_keys(store, client_id, datetime.now().astimezone().date())
    if not keys:
        raise MbcError(f"By the plan of measures, nothing is due for {client_id} that has not already been asked.")
    return keys


def _address(settings: AskingSettings, client_id: str, *, mail: bool, address: str | None) -> str | None:
    """Find where the link is mailed to, before anything is made; None: nowhere."""
    from mbc.care.askings.mail import address_of, checked_address, mail_of  # noqa: PLC0415 - as above

    if mail and address is not None:
        raise click.UsageError("Give --mail or --mail-to, not both.")
    if address is not None:
        mail_of(settings)
        return checked_address(address)
    return address_of(mail_of(settings), client_id) if mail else None


def _show(made: MadeAsking) -> None:
    minutes = "1 minute" if made.minutes == 1 else f"{made.minutes} minutes"
    click.echo(f"Request {made.asking_id}: {made.questions} questions, about {minutes}")
    click.echo(f"Until       {_when(made.expires_at)}")
    click.echo(f"Link        {made.link}")
    click.echo(f"Code        {made.code}")
    if made.scores_shown:
        shown = ", ".join(f"{key} ({number})" for key, number in made.scores_shown)
        click.echo(f"Then shown  earlier scores, by this link only: {shown}")
    if find_spec("segno") is not None:
        import segno  # noqa: PLC0415 - an extra of the package

        click.echo()
        segno.make(made.link, micro=False, error="m").terminal(compact=True)


def _list(store: Store, client_id: str | None) -> None:
    from mbc.care.askings.collect import asking_states  # noqa: PLC0415 - the command line stays quick

    rows = asking_states(store, client_id)
    if not rows:
        click.echo("No requests.")
        return
    for row in rows:
        what = ", ".join(dict.fromkeys(row["instruments"]))
        click.echo(f"{row['asking_id']}  {row['client_id']}  {_when(row['made_at'])}  {row['state']:<9}  {what}")


def _when(moment: datetime) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
