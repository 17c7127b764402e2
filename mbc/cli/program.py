"""The commands, and how an error ends: with a clear message and an exit status, never a traceback."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.text import Text

from mbc.cli.lazy_group import CommandEntry, LazyGroup
from mbc.distribution import DISTRIBUTION
from mbc.errors import ImportRefused, MbcError

COMMANDS: dict[str, CommandEntry] = {
    "start": CommandEntry("start", "Open your own record in the browser; the first start makes it."),
    "demo": CommandEntry("demo", "Start the web app with a synthetic clinic."),
    "init": CommandEntry("init", "Create an empty record."),
    "instruments": CommandEntry("instruments", "List the questionnaires and explain them."),
    "score": CommandEntry("score", "Score a file of answers."),
    "import": CommandEntry("import_", "Import answers and scores from a file."),
    "export": CommandEntry("export", "Export the record to files."),
    "client": CommandEntry("client", "Assign clients to clinicians; show where their data came from."),
    "ask": CommandEntry("ask", "Ask a client to answer on their own device."),
    "remind": CommandEntry("remind", "Remind clients who have not answered yet."),
    "collect": CommandEntry("collect", "Import clients' answers into the record."),
    "caseload": CommandEntry("caseload", "Show every client's status, one line each."),
    "review": CommandEntry("review", "Describe one client's charts as text."),
    "record": CommandEntry("record", "Write an entry: a session, rating, homework, conflict ..."),
    "signals": CommandEntry("signals", "Show signals, what was done about them, and what followed."),
    "outcomes": CommandEntry("outcomes", "Report outcome rates of the clinic for a period."),
    "clinicians": CommandEntry(
        "clinicians", "Compare outcomes with what is expected given case mix, by clinician."
    ),
    "registry": CommandEntry("registry", "Check record folders of many clinics."),
    "study": CommandEntry("study", "Run one study in several clinics, and pool what they publish."),
    "report": CommandEntry("report", "Print reports as PDF or HTML."),
    "release": CommandEntry("release", "Publish outcomes with small numbers hidden; read releases."),
    "validate": CommandEntry("validate", "Test how well the expected course forecasts new clients."),
    "deidentify": CommandEntry("deidentify", "Write a de-identified cohort for research."),
    "twin": CommandEntry("twin", "Write synthetic people who resemble a cohort."),
    "user": CommandEntry("user", "Add, list and disable accounts."),
    "audit": CommandEntry("audit", "Show who did what in a record, when and from where."),
    "rescore": CommandEntry("rescore", "Preview and apply the effect of changed definitions on scores."),
    "models": CommandEntry("models", "Show the clinic's own models, and fit those that are due."),
    "verify": CommandEntry("verify", "Check the record's integrity."),
    "erase": CommandEntry("erase", "Erase one person, on a legal request."),
    "retention": CommandEntry("retention", "Erase records past the clinic's retention period."),
    "serve": CommandEntry("serve", "Start the web app."),
    "questionnaire": CommandEntry("questionnaire", "Start the client's questionnaire."),
    "backup": CommandEntry("backup", "Back up a record into one file."),
    "restore": CommandEntry("restore", "Restore a record from a backup."),
    "upgrade": CommandEntry("upgrade", "Upgrade a record from an older mbc."),
    "encrypt": CommandEntry("encrypt", "Encrypt a record file."),
    "key": CommandEntry("key", "Change or remember the key of an encrypted record."),
}

REFUSED, USAGE = 1, 2
_BY_SIGNAL = 128  # and the signal's number: the status of a program that a signal ended
_MOST_ROWS = 50
_INTERRUPTED = "Interrupted. No partial change was made."


class _Process:
    """Whether `main` runs, which may take signals over until it ends; elsewhere they are not the command's."""

    runs = False
    stopped_by: int | None = None
    handlers: dict[int, Any]  # from before
    ended = threading.Event()


_process = _Process()


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    load=lambda module, _: importlib.import_module(f"mbc.cli.{module}").command,
    noun="command",
    heading="Commands",
    hint="'mbc --help' lists all commands.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name=DISTRIBUTION, prog_name="mbc")
def program() -> None:
    """Measurement-based care for individual relationship therapy."""


def main() -> NoReturn:
    """Run the command line; the process ends with 0, 1 (data refused) or 2 (wrong usage)."""
    try:
        status = _run()
    except click.exceptions.Abort:
        _say(_INTERRUPTED)
        sys.exit(_BY_SIGNAL + signal.SIGINT)
    except click.ClickException as fault:
        fault.show()
        sys.exit(USAGE)
    except MbcError as fault:
        _explain(fault)
        sys.exit(REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as fault:  # noqa: BLE001 - the outermost handler: users never see a traceback
        if os.environ.get("MBC_DEBUG"):
            traceback.print_exc()
        _say(f"Unexpected error in mbc itself ({type(fault).__name__}). Run again with MBC_DEBUG=1 for details.")
        sys.exit(REFUSED)
    sys.exit(status if isinstance(status, int) else 0)


def end_cleanly_when_stopped() -> None:
    """Let SIGTERM and Ctrl-C end a command through its own end: what it keeps outside of the record is removed.

    An engine may turn what a signal raises into a fault of its own (duckdb: ``RuntimeError("Query interrupted")``)
    and may even begin again. So the command is stopped once a second until it ends, and that it was stopped is
    what counts.
    """
    if _process.runs and threading.current_thread() is threading.main_thread():
        _process.handlers = {number: signal.signal(number, _stop) for number in (signal.SIGTERM, signal.SIGINT)}


def _stop(number: int, _: object) -> None:
    if not _process.runs:  # it ends already, and is not to be cut short
        return
    if _process.stopped_by is None:
        _process.stopped_by = number
        threading.Thread(target=_stop_again, args=(number,), daemon=True).start()
    raise SystemExit(_BY_SIGNAL + number)


def _stop_again(number: int) -> None:
    while not _process.ended.wait(1):
        signal.raise_signal(number)


def _run() -> object:
    _process.runs, _process.handlers = True, {}
    result: object = None
    try:
        result = program.main(prog_name="mbc", standalone_mode=False)
    except BaseException:
        if _process.stopped_by is None:
            raise
    finally:
        _process.runs = False
        if _process.stopped_by is None:
            for number, handler in _process.handlers.items():
                signal.signal(number, handler)
    if _process.stopped_by is not None:
        _process.ended.set()
        _say(_INTERRUPTED)
        sys.exit(_BY_SIGNAL + _process.stopped_by)
    return result


def _explain(fault: MbcError) -> None:
    _say(str(fault))
    rows = fault.rows if isinstance(fault, ImportRefused) else ()
    for row in rows[:_MOST_ROWS]:
        _say(f"  {row}", style="default")
    if len(rows) > _MOST_ROWS:
        _say(f"  ... and {len(rows) - _MOST_ROWS} more rows", style="default")


def _say(message: str, *, style: str = "bold red") -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(message, style=style))
