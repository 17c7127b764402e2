"""How a synthetic clinic is laid down as files.

One CSV per table in the columns of the store's readers, one wide CSV per questionnaire, and beside them a
README, the truth (never part of a record) and checksums. UTF-8, commas, ISO dates, LF line ends, blank for
what is not known.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    from mbc.simulate.synthetic import Clinic

TABLES: Final = (
    "clinicians", "clients", "episodes", "relationships", "statuses", "sessions", "totals", "goals",
    "goal_ratings", "events", "truth",
)  # fmt: skip
CHECKSUMS: Final = "SHA256SUMS"


def write(clinic: Clinic, folder: Path) -> Path:
    """Write every file of a clinic; returns the folder."""
    (folder / "administrations").mkdir(parents=True, exist_ok=True)
    for name, frame in frames(clinic).items():
        frame.write_csv(folder / name)
    _write_text(folder / "README.md", readme(clinic))
    listed = sorted([*frames(clinic), "README.md"])
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in listed]
    _write_text(folder / CHECKSUMS, "".join(lines))
    return folder


def frames(clinic: Clinic) -> dict[str, pl.DataFrame]:
    """Frames by file name; a questionnaire that nobody took has no file."""
    taken = {f"administrations/{key}.csv": frame for key, frame in clinic.administrations.items() if frame.height}
    return {f"{name}.csv": getattr(clinic, name) for name in TABLES} | taken


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def readme(clinic: Clinic) -> str:
    """Text of the README: what is in the folder, with the counts of this clinic."""
    sheets = sum(frame.height for frame in clinic.administrations.values())
    last = clinic.sessions["held_on"].max()
    questionnaires = "\n".join(
        f"| `administrations/{key}.csv` | {frame.height} | {', '.join(_practised(frame))} |"
        for key, frame in clinic.administrations.items()
        if frame.height
    )
    rows = "\n".join(f"| `{name}.csv` | {getattr(clinic, name).height} | {ABOUT[name]} |" for name in TABLES)
    return f"""# A synthetic clinic

Nobody here exists. Every person, answer and event was made by `mbc.simulate` from seed {clinic.seed}:
{clinic.clients.height} clients, {clinic.clinicians.height} clinicians, {clinic.sessions.height} appointments and \
{sheets} questionnaires from {clinic.start} to {last}. No item wording is included, and nothing here is a norm.

    python -m mbc.simulate data/sample          # the same files again, byte for byte
    sha256sum --check SHA256SUMS                # run inside the folder

| file | rows | what |
|---|---|---|
{rows}

Questionnaires are wide: `client_id, taken_on, session_number, target, informant, form, coding`, then one column
per item in the order of the form. `target` is `self`, or the relationship that is rated. A blank cell is an item
that was left blank; it is never a zero. Some practices print another item order or number the answers otherwise.

| file | rows | forms and codings |
|---|---|---|
{questionnaires}
{_storied(clinic)}
## How it was made

* Seven latent traits per client (self-esteem, satisfaction, attachment anxiety and avoidance, low mood, worry,
  well-being) are correlated at intake and follow one of nine kinds of course: gradual, early, late, sudden gain,
  setback, worse first, unchanged, worsening, or well throughout. States waver from week to week around it.
* Items are answered by an ordinal response process: trait times loading, plus what this person always reads into
  the item, plus chance, rounded to the nearest answer. Loadings are set so that alpha is near its published value.
* Leaving is informative: those who make no headway drop out more often, and their last questionnaires are missing.
* Satisfaction is asked about a current relationship only. It stops when the relationship ends, and a new
  relationship is a new target. Endings that were the client's own step are marked as growth.
* `truth.csv` says what the questionnaires only measure: each client's true state at the first and last session.
"""


def _practised(frame: pl.DataFrame) -> list[str]:
    pairs = frame.group_by("form", "coding").len().sort("len", "form", "coding", descending=[True, False, False])
    return [f"form {form}, coding {coding}: {count}" for form, coding, count in pairs.iter_rows()]


ABOUT: Final = {
    "clinicians": "invented names",
    "clients": "pseudonyms and aliases; clients have no names",
    "episodes": "stretches of care; `E0` is an earlier one",
    "relationships": "R1, R2: labels only",
    "statuses": "how a relationship stands from a day on; without a relationship, how the person lives",
    "sessions": "appointments, kept and missed",
    "totals": "earlier records of which only scores were kept",
    "goals": "rated 0 to 10; with a `scale`, set in its points",
    "goal_ratings": "at about every third session",
    "events": "in plain words, each `growth`, `hard` or `neutral`",
    "truth": "not part of the record: for tests",
}
TOLD: Final = {
    "D-ANXIOUS-SECURE": "attachment anxiety falls with setbacks; R1 is left in month 4, as growth: satisfaction "
    "stops there; R2 begins in month 7",
    "D-DOWN-THEN-UP": "self-esteem falls through a separation, then rises above its start; avoidance falls late",
    "D-SINGLE-PREPARING": "never a satisfaction measure; goals and attachment move",
    "D-NOT-ON-TRACK": "level, then worse on every measure; a rupture, and sessions missed",
    "D-STEADY-AUTUMN": "symptoms ease over the months",
    "D-PLATEAU-LEAP": "months without change, then one clear step that holds",
    "D-WITHIN-NOISE": "every change lies within measurement error",
}


def _storied(clinic: Clinic) -> str:
    storied = clinic.clients.filter(pl.col("client_id").is_in(list(TOLD)))
    if storied.is_empty():
        return ""
    lines = [
        f"| `{client_id}` | {alias} | {TOLD[client_id]} |"
        for client_id, alias in storied.select("client_id", "alias").iter_rows()
    ]
    head = "\n## Clients with a story\n\nAll of them see the first clinician.\n\n"
    return head + "| client | alias | what the charts show |\n|---|---|---|\n" + "\n".join(lines) + "\n"
