"""Run a study on a record: counted once, published figures written, the run remembered in the audit log."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from mbc.care.clinic.record_frames import record_frames
from mbc.errors import Conflict
from mbc.exchange.files.output import check_target, new_folder
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.outcomes.study.result import StudyResult, study_result, write_files
from mbc.outcomes.study.specification import Study
from mbc.store import Store

_FORMAT = "study"


@with_definitions_of_record
def run_study(store: Store, study: Study, folder: Path, *, today: dt.date | None = None) -> StudyResult:
    """Write what may be published of a study's numbers into a new folder.

    Scales are judged by published limits only, never by the clinic's own: the same is asked of every clinic. The
    audit log names the study, its version and digest. A record gives the same numbers once, whatever the study is
    called, as two answers of different days would say what changed between them.

    Parameters
    ----------
    store : Store
        The record itself, not one user's view: the operator publishes.
    study : Study
    folder : Path
        A new folder; it is written completely or not at all.
    today : date, optional
        The day on which it is run.

    Raises
    ------
    AccessDenied
        If this is one user's view.
    Conflict
        If the record has answered this specification before, or another that asks for the same numbers.
    SettingsError
        If the period is not over, or the folder holds something.
    """
    store.require_publisher("studies are run")
    study.require_over(today)
    check_target(folder, folder=True, force=False)
    _require_first(store, study)
    result = study_result(study, record_frames(store, study.period))
    with new_folder(folder) as temporary:
        write_files(result, temporary)
        store.audit.record(
            "export",
            format=_FORMAT,
            file=folder.name,
            study=f"{result.study} {result.version}",
            sha256=study.digest,
            numbers=study.numbers_digest,
            rows=result.to_frame().height,
        )
    return result


def _require_first(store: Store, study: Study) -> None:
    for at, detail in store.audit.entries(action="export").select("at", "detail").iter_rows():
        logged = json.loads(detail or "{}")
        same = logged.get("sha256") == study.digest or logged.get("numbers") == study.numbers_digest
        if logged.get("format") == _FORMAT and same:
            raise Conflict(
                f"This record answered {logged.get('study')} on {at:%Y-%m-%d} (folder '{logged.get('file')}'), "
                "which asked for the same numbers. A second answer would reveal what was entered in between: "
                "send the first one."
            )
