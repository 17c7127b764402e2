"""A de-identified cohort as a folder of files, and back."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from mbc.care.cohort.deidentified import Cohort
from mbc.care.cohort.knowledge import NOT_PROTECTED
from mbc.care.cohort.other_formats import CohortFormat, table_files
from mbc.care.cohort.risk_report import CohortRisk
from mbc.care.words import count, join_list
from mbc.errors import MbcError
from mbc.privacy import StudyIds

_ABOUT = {
    "study_id": "random id of a person; the same in every table",
    "day": "whole days since that person's first contact (day 0)",
    "episode": "number of the person's episode of care, 1 for the first on record",
    "since_intake": "days since that episode began; below 0 before the first",
    "therapist": "random id; 'other' where few people share a therapist",
    "sessions": "therapy sessions attended",
    "days": "days from the first to the last attended session",
    "weeks": "band of the weeks from the first to the last attended session",
    "relationship": "whether the person has scores of a relationship",
    "answered_in": "days (ends of periods) at which the person has scores",
    "ending": "how the latest episode of care ended; empty while it goes on",
    "session_number": "number of the therapy session it was answered for",
    "instrument": "key of the questionnaire",
    "scale": "key of the scale",
    "target": "'self', or the relationship that was rated: R1, R2, ... (or RX1, ...) in the order they began",
    "informant": "who answered",
    "score": "scale points; empty where too few items were answered",
    "answered": "items answered; empty where only a total was kept on paper",
    "items": "items of the scale",
    "prorated": "true where blank items were replaced by the person's mean",
    "form": "item order",
    "coding": "answer coding",
    "number": "number of the session within its episode",
    "attended": "false for a missed session",
    "modality": "how the session was held",
    "status": "relationship status from that day on",
    "goal": "G1, G2, ... (or GX1, ...) in the order they were set",
    "baseline": "rating when the goal was set",
    "target_rating": "rating that was aimed at",
    "higher_is_better": "direction of the goal's ratings",
    "rating": "rating on that day",
    "kind": "kind of event; 'other' where few people had it",
    "valence": "how the client saw it: growth, hard or neutral",
}
_ABOUT_COHORT = "De-identified cohort of a clinic that uses measurement-based care."
_ABOUT_TWIN = "Synthetic twin of a de-identified cohort. Nobody in it exists; report no result from it."
_MADE_UP = "synthetic: every row is made up"
TWIN_REPORT = "twin.json"
_NO_TIME = 946_684_800  # 1 January 2000, for every file of every cohort
_TABLES = ("people", "scores", "sessions", "relationships", "goals", "events")


@dataclass(frozen=True, slots=True)
class SyntheticNote:
    """What the files of a synthetic twin say of themselves."""

    lines: tuple[str, ...]  # sentences for the first page
    report: Mapping[str, object]  # for twin.json


def write_cohort(
    cohort: Cohort,
    folder: Path,
    *,
    risk: CohortRisk | None = None,
    study_ids: StudyIds | None = None,
    key: Path | None = None,
    formats: Sequence[CohortFormat] = (),
    synthetic: SyntheticNote | None = None,
) -> None:
    """Write a cohort into a new folder: one CSV per table, a codebook, and what was left out.

    Parameters
    ----------
    cohort : Cohort
        From `mbc.care.deidentified_cohort`.
    folder : Path
        Made by this call, for its owner alone; an existing folder must be empty. The files bear no time.
    risk : CohortRisk, optional
        Written as risk.json, and on the first page of the README and the codebook.
    study_ids, key : StudyIds and Path, optional
        Write the re-identification key (study ids with the ids on record) to this file, readable by its owner
        only. It must lie outside ``folder``.
    formats : sequence of {"parquet", "spss"}
        Each table in these formats too.
    synthetic : SyntheticNote, optional
        Says that nobody in it exists: on the first page of the README, in the codebook, and in twin.json.

    Raises
    ------
    MbcError
        If the folder holds something, or the key would lie inside it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise MbcError(f"The folder {folder} is not empty; nothing was written. Name a new folder.")
    if key is not None and folder.resolve() in key.resolve().parents:
        raise MbcError(
            f"The re-identification key {key} would lie inside the cohort folder. Choose a path outside it."
        )
    others = {name: file for kind in formats for name, file in table_files(cohort.tables(), _ABOUT, kind).items()}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    texts = {f"{name}.csv": frame.write_csv() for name, frame in cohort.tables().items()}
    texts["codebook.json"] = _as_json(_codebook(cohort, risk, synthetic))
    texts["README.md"] = _readme(cohort, risk) if synthetic is None else _synthetic_readme(cohort, synthetic)
    if synthetic is not None:
        texts[TWIN_REPORT] = _as_json(synthetic.report)
    if risk is not None:
        texts["risk.json"] = _as_json(risk.to_dict())
    for name, content in {**{name: text.encode() for name, text in texts.items()}, **others}.items():
        _write(folder / name, content)
    os.utime(folder, (_NO_TIME, _NO_TIME))
    if study_ids is not None and key is not None:
        _write_key(study_ids, key)


def read_cohort(folder: Path | str) -> Cohort:
    """Read a cohort's folder.

    Raises
    ------
    MbcError
        If the folder lacks one of the cohort's files.
    """
    place = Path(folder)
    missing = [name for name in ("codebook.json", *(f"{t}.csv" for t in _TABLES)) if not (place / name).is_file()]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise MbcError(
            f"{place} is not a cohort folder: {join_list(missing)} {verb} missing. 'mbc deidentify' makes one."
        )
    about = json.loads((place / "codebook.json").read_text("utf-8"))
    schemas: dict[str, dict[str, str]] = about["types"]
    tables = {name: _read_table(place / f"{name}.csv", schemas[name]) for name in schemas}
    return Cohort(
        **{name: tables[name] for name in _TABLES},
        items={name.removeprefix("items_"): frame for name, frame in tables.items() if name.startswith("items_")},
        smallest=about["smallest"],
        withheld=tuple(about["withheld"]),
    )


def _read_table(path: Path, types: Mapping[str, str]) -> pl.DataFrame:
    schema = {column: getattr(pl, name) for column, name in types.items()}
    return pl.read_csv(path, schema=schema)


def _codebook(cohort: Cohort, risk: CohortRisk | None, synthetic: SyntheticNote | None) -> dict[str, object]:
    tables = cohort.tables()
    made_up = (
        {} if synthetic is None else {"twin": list(synthetic.lines), "synthetic": dict.fromkeys(tables, _MADE_UP)}
    )
    return {
        "about": _ABOUT_COHORT if synthetic is None else _ABOUT_TWIN,
        **made_up,
        **({} if risk is None else {"risk": _risk_words(risk)}),
        "smallest": cohort.smallest,
        "withheld": list(cohort.withheld),
        "types": {name: {c: str(t.base_type()) for c, t in f.schema.items()} for name, f in tables.items()},
        "columns": {
            name: {column: _ABOUT.get(column, _item_words(name, column)) for column in frame.columns}
            for name, frame in tables.items()
        },
    }


def _synthetic_readme(cohort: Cohort, synthetic: SyntheticNote) -> str:
    return (
        "# Synthetic cohort: nobody in it exists\n\n"
        f"{cohort.people.height} made-up people, for teaching and for writing analyses before access is granted. "
        "Files, columns and types are those of the cohort that it was fitted to, so an analysis runs on both "
        "unchanged. Report no result from it. `codebook.json` explains every column, `twin.json` has the "
        "measures.\n\n" + "".join(f"* {line}\n" for line in synthetic.lines)
    )


def _item_words(table: str, column: str) -> str:
    key = table.removeprefix("items_")
    position = column.removeprefix(f"{key}_")
    return f"answer at position {position} of the form; empty = left blank"


def _readme(cohort: Cohort, risk: CohortRisk | None) -> str:
    held = ", ".join(cohort.withheld) or "none"
    return (
        "# De-identified cohort\n\n"
        f"{cohort.people.height} people. Ids are random, dates are days since each person's first contact, and "
        "there is no free text. `codebook.json` explains every column.\n\n"
        f"* Categories of fewer than {cohort.smallest} people are merged into 'other'.\n"
        f"* Item answers withheld because one item concerns safety: {held}. `scores.csv` has their scores.\n"
        "* Safety screens and safety flags are left out altogether.\n"
        + (
            "* In a small cohort, rare combinations can still be recognised: share it only with those entitled "
            "to it.\n"
            if risk is None
            else "\n## How easily people can be recognised\n\n"
            + "".join(f"* {line}\n" for line in _risk_words(risk))
            + "\nThe same scores in another release of this clinic link the two: give each group of readers only "
            "one.\n"
        )
    )


def _risk_words(risk: CohortRisk) -> list[str]:
    """Say what was measured, a sentence for each."""
    measured = risk.measured
    columns = join_list(risk.quasi_identifiers) or "no column"
    alike = (
        f"Profile '{risk.profile}'. By {columns} of people.csv the smallest group of people who look alike has "
        f"{measured.k}, and {measured.unique} of {measured.people} are alone in theirs."
    )
    chance = (
        "Somebody who knows that a person is here names the right row with a chance of at most "
        f"{measured.prosecutor_highest:.0%}, and {measured.prosecutor_mean:.0%} on average; all clients of the "
        "clinic are candidates, so it is the same for somebody who does not know it."
    )
    lines = [alike, chance]
    if risk.left_out:
        lines.append(f"{count(risk.left_out, 'person', 'people')} left out because too few look like them.")
    lines += [
        f"{each.who.capitalize()} ({each.what}): at least {each.k} fit, {each.unique} are unique."
        for each in risk.knowledge
    ]
    if risk.asked_k is not None:
        lines.append(f"Protected to k = {risk.asked_k}, except against: {', '.join(sorted(NOT_PROTECTED))}.")
    return lines


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _write(path: Path, content: bytes) -> None:
    """Write a file for its owner alone, with no time that says when."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.utime(path, (_NO_TIME, _NO_TIME))


def _write_key(study_ids: StudyIds, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        pl.DataFrame({"client_id": list(study_ids.of), "study_id": list(study_ids.of.values())}).write_csv(file)
