"""Trials of access: who sees what, and who gets in."""

from __future__ import annotations

from pathlib import Path

from mbc.errors import AccessDenied, MbcError, NotInRecord
from mbc.exchange import export_record
from mbc.reports.installation.requirement import NotMet, require
from mbc.reports.installation.synthetic import PASSWORD, synthetic_store
from mbc.store import Client


def caseloads(folder: Path) -> str:
    """Look through the eyes of a clinician, who must meet their own clients only."""
    with synthetic_store(folder) as store:
        store.accounts.add("ann", PASSWORD, "clinician", clinician_id="K1")
        own = store.as_user("ann")
        require(own.clients()["client_id"].to_list() == ["C1"], "other clients are listed")
        try:
            own.answers(client_id="C2")
        except NotInRecord:
            return "a clinician of C1: C2 is not visible to them"
    raise NotMet("somebody else's client was read")


def safety_channel(folder: Path) -> str:
    """Look for the safety channel without the permission, which must show nothing."""
    with synthetic_store(folder) as store:
        store.accounts.add("ann", PASSWORD, "clinician", clinician_id="K1")
        own = store.as_user("ann")
        require("hits" not in own.administrations()["instrument"].to_list(), "the screen is listed")
        require(own.answers("phq9").is_empty(), "answers to a questionnaire with a risk item are shown")
        try:
            own.administrations(channel="safety")
        except AccessDenied:
            return "without the permission: no screen, no flag, no answer to a risk item"
    raise NotMet("the safety channel was read")


def passwords(folder: Path) -> str:
    """Make accounts, whose passwords must be strong and kept as slow digests."""
    with synthetic_store(folder) as store:
        store.accounts.add("ann", PASSWORD, "clinician", clinician_id="K1")
        for weak in ("password", "12345678901234"):
            try:
                store.accounts.add("bea", weak, "administrator")
            except MbcError:
                continue
            raise NotMet(f"'{weak}' was accepted")
    raw = b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith("trial.db"))
    require(PASSWORD.encode() not in raw, "the password is in the file")
    require(b"$argon2id$" in raw, "the file contains no argon2id digest")
    return "argon2id; two weak passwords refused"


def exports(folder: Path) -> str:
    """Export without the option for the safety channel, which must leave it out."""
    with synthetic_store(folder) as store:
        export_record(store, folder / "out")
    text = "".join(path.read_text(encoding="utf-8") for path in (folder / "out").rglob("*.csv"))
    require("hits" not in text, "the screen is in the export")
    return "an export without the option contains no safety screen"


def formulas(folder: Path) -> str:
    """Export a label that a spreadsheet would run, which must become text."""
    with synthetic_store(folder) as store:
        with store.writing() as record:
            record.add(Client("C3", alias="=1+1", clinician_id="K1"))
        export_record(store, folder / "out")
    text = (folder / "out" / "clients.csv").read_text(encoding="utf-8")
    require("'=1+1" in text, "the formula is written as it was")
    return "'=1+1' as a label: exported as text"
