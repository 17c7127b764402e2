"""What editors know of definition files: the JSON Schema, made from the schema that reads them.

``python -m mbc.instruments.own.json_schema`` writes the file again; a test holds it to the schema.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel

from mbc.instruments.definition import schema
from mbc.instruments.definition.schema import InstrumentEntry
from mbc.instruments.shipped import folder

FILE = "schema.json"
_DRAFT = "http://json-schema.org/draft-07/schema#"  # the newest that editors of TOML know
_REMARK = re.compile(r"^ {4}(\w+): .*?  # (?!noqa|type:)(.+)$", re.MULTILINE)
_SAID = {  # where a remark would speak to programmers only
    "key": "prefix of its columns: lower-case letters, digits and _; in a folder, also the file's name",
    "name": "full name",
    "construct": "what it measures, as one word: self_esteem, symptoms, ...",
    "version": "kept with every administration; change it when the meaning of an answer or a score changes",
    "summary": "one or two sentences of your own: what it measures and how",
    "source": "who published it: a key of [sources.*], here or in the catalogue",
    "licence": "free, permission or restricted; or a table that says more",
    "recall": "time that is asked about, such as 'two weeks'",
    "safety_channel": "true for screens of danger: never in a joint account, never exported",
    "disputes": "what sources disagree about",
    "answers": "the range that items share",
    "needs": "when the questions make sense",
    "form": "item orders, if there are several",
    "coding": "ways in which answers are written as numbers, if there are several",
    "flag": "items that speak for themselves, whatever the total says",
    "scale": "scores; the first is charted when nothing else is asked for",
}

Json = dict[str, Any]


def json_schema() -> Json:
    """Make the JSON Schema of a definition file.

    Examples
    --------
    >>> json_schema()["required"]
    ['key', 'source', 'licence', 'scale']
    """
    made = InstrumentEntry.model_json_schema(by_alias=True)
    tables = cast("dict[str, Json]", made["$defs"])
    for name, table in tables.items():
        _remark(getattr(schema, name), table)
    _remark(InstrumentEntry, made)
    for key, description in _SAID.items():
        made["properties"][key]["description"] = description
    status = tables["LicenceEntry"]["properties"]["status"]
    made["properties"]["licence"] = {
        "description": _SAID["licence"],
        "anyOf": [status, {"$ref": made["properties"]["licence"]["$ref"]}],
    }
    made["title"] = "mbc instrument"
    made["description"] = "Definition of a questionnaire: its items, scales, and where every number comes from."
    return {"$schema": _DRAFT, **_plain(made)}


def shipped_text() -> str:
    """Read the JSON Schema that the package brings."""
    return (folder() / FILE).read_text(encoding="utf-8")


def as_text(made: Json) -> str:
    """Write a JSON Schema as it is kept."""
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _remark(model: type[BaseModel], table: Json) -> None:
    """Give each key the remark that stands beside it in the schema."""
    remarks = dict(_REMARK.findall(inspect.getsource(model)))
    for name, field in model.model_fields.items():
        if name in remarks:
            table["properties"][field.alias or name]["description"] = remarks[name]


def _plain(node: Any) -> Any:
    """Leave out what TOML has not (null) and what says nothing (titles); pairs as draft 7 writes them."""
    if isinstance(node, list):
        return [_plain(element) for element in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    table = dict(cast("Json", node))
    choices = [option for option in table.get("anyOf", []) if option != {"type": "null"}]
    if len(choices) == 1:
        table = {**choices[0], **{key: value for key, value in table.items() if key != "anyOf"}}
    if "prefixItems" in table:
        table = {**table, "items": table["prefixItems"], "additionalItems": False}
        del table["prefixItems"]
    if "type" in table or "$ref" in table or "anyOf" in table:
        table = {key: value for key, value in table.items() if not _idle(key, value)}
    return {key: _plain(value) for key, value in table.items()}


def _idle(key: str, value: Any) -> bool:
    """Whether a keyword says nothing: a title made from the key's name, a default of nothing."""
    made_up = key == "title" and isinstance(value, str) and value != "mbc instrument"
    return made_up or (key == "default" and value in (None, [], {}))


if __name__ == "__main__":
    Path(str(folder() / FILE)).write_text(as_text(json_schema()), encoding="utf-8")
