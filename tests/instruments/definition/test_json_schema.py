"""The JSON Schema for editors is the schema that reads the files."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest

from mbc.instruments.own.json_schema import as_text, json_schema, shipped_text
from mbc.instruments.own.template import start
from mbc.instruments.shipped import shipped


@pytest.fixture(scope="module")
def validator() -> Any:
    import jsonschema  # noqa: PLC0415 - takes seconds, and every process of the tests collects this file

    return jsonschema.Draft7Validator(json.loads(shipped_text()))


def test_the_file_is_current():
    assert shipped_text() == as_text(json_schema()), "Run: python -m mbc.instruments.own.json_schema"


def test_it_is_a_schema(validator):
    validator.check_schema(validator.schema)


@pytest.mark.parametrize("key", shipped())
def test_every_file_of_the_catalogue_follows_it(validator, key):
    validator.validate(tomllib.loads(shipped()[key].read_text(encoding="utf-8")))


def test_a_start_follows_it(validator):
    validator.validate(tomllib.loads(start("mine")))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("licence", "license", "'license' was unexpected"),
        ('rule = "sum"', 'rule = "total"', "'total' is not one of ['sum', 'mean'"),
        ("range = [0, 15]", "range = [0]", "[0] is too short"),
        ("range = [0, 15]", "range = [0, 15, 20]", "[0, 15, 20] is too long"),
        ('status = "free"', 'status = "fre"', "is not valid under any of the given schemas"),
        ('id = "q2"', 'id = "Q 2"', "'Q 2' does not match"),
    ],
)
def test_an_editor_marks_what_the_reader_refuses(validator, old, new, message):
    text = start("mine")
    assert old in text
    told = [fault.message for fault in validator.iter_errors(tomllib.loads(text.replace(old, new, 1)))]
    assert any(message in one for one in told), told


def test_every_key_of_a_file_is_explained(validator):
    for key, said in validator.schema["properties"].items():
        if key not in {"loinc", "fact"}:
            assert "description" in said or "$ref" in said, key
