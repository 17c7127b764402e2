"""A study on a record: the operator's, once, audited, with the figures that its exported folder gives."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from mbc import outcomes
from mbc.care.clinic.studies import run_study
from mbc.errors import AccessDenied, Conflict, SettingsError
from mbc.outcomes.record_folders import read_folders
from mbc.outcomes.study.result import study_result
from mbc.store import Store
from tests.care.clinic.test_releases import PASSWORD, fill
from tests.outcomes.made_people import make_people
from tests.outcomes.study.test_study import SPECIFICATION
from tests.outcomes.test_nhs import write_record

TODAY = dt.date(2027, 1, 10)


def test_a_record_answers_once_for_its_operator_and_the_audit_log_says_so(tmp_path):
    (tmp_path / "spec.toml").write_text(SPECIFICATION.replace('"nhs", "jacobson-truax"', '"nhs"'))
    study = outcomes.read_study(tmp_path / "spec.toml")
    people = make_people(seed=5, size=100)
    with Store.create("sqlite://") as store:
        fill(store, people)
        store.accounts.add("ana", PASSWORD, "analyst")
        with pytest.raises(AccessDenied, match="ana may not publish"):
            run_study(store.as_user("ana"), study, tmp_path / "ana", today=TODAY)
        with pytest.raises(SettingsError, match="is not over"):
            run_study(store, study, tmp_path / "early", today=study.period.end)
        made = run_study(store, study, tmp_path / "north", today=TODAY)
        with pytest.raises(Conflict, match=r"answered recovery 1 on .*folder 'north'"):
            run_study(store, study, tmp_path / "again", today=TODAY)
        (tmp_path / "spec.toml").write_text(
            SPECIFICATION.replace('"nhs", "jacobson-truax"', '"nhs"').replace('version = "1"', 'version = "2"')
        )
        renamed = outcomes.read_study(tmp_path / "spec.toml")
        assert renamed.digest != study.digest
        with pytest.raises(Conflict, match=r"answered recovery 1 on .*asked for the same numbers"):
            run_study(store, renamed, tmp_path / "again", today=TODAY)
        lines = [json.loads(detail) for detail in store.audit.entries(action="export")["detail"]]
    assert [(line["format"], line["study"], line["sha256"], line["file"]) for line in lines] == [
        ("study", "recovery 1", study.digest, "north")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["north", "spec.toml"]
    assert outcomes.read_result(tmp_path / "north") == made
    folder = write_record(people, tmp_path / "rows")
    assert study_result(study, read_folders([folder])).reports == made.reports
