"""Whether what a browser sends to a callback has the shape that our own pages send; anything else is refused.

Values are still claims after that: what a page does with a period or a client that does not exist is up to it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash
from flask import Flask, Response, request
from flask.typing import ResponseReturnValue

PATH = "/_dash-update-component"
_REFUSED = "That request was not sent by a page of this application."
_Spec = Mapping[str, Any]
_TEXT, _COUNT, _SWITCH = (str,), (int,), (bool,)
_TYPES: dict[str, tuple[type, ...]] = {  # besides None, for a control that nobody has used yet
    "pathname": _TEXT, "href": _TEXT, "search": _TEXT, "hash": _TEXT, "children": _TEXT,
    "n_clicks": _COUNT, "n_submit": _COUNT, "checked": _SWITCH, "value": (str, int, float, bool),
    "data": (str, int, float, bool),
}  # fmt: skip


def install_callback_check(server: Flask, app: Dash, *, lists: Collection[str] = ()) -> None:
    """Refuse hand-made callbacks with status 400, before Dash reads them.

    Parameters
    ----------
    server : flask.Flask
        The server; the guard is installed already.
    app : Dash
        The application, whose callbacks say what belongs to each.
    lists : collection of str
        Components whose value is a list.
    """
    check = _Check(frozenset(lists))

    @server.before_request
    def check_callback() -> ResponseReturnValue | None:
        if request.path != PATH or request.method != "POST":
            return None
        if check.fits(request.get_json(silent=True), app.callback_map):
            return None
        return Response(_REFUSED, 400, mimetype="text/plain")


@dataclass(frozen=True, slots=True)
class _Check:
    """What makes a body one of ours."""

    lists: frozenset[str]

    def fits(self, body: Any, callbacks: Mapping[str, _Spec]) -> bool:
        """Say whether a body is what the callback it names expects."""
        if not isinstance(body, dict) or not isinstance(body.get("output"), str):
            return False
        spec = callbacks.get(body["output"])
        changed = body.get("changedPropIds", [])
        return (
            spec is not None
            and _are_texts(changed)
            and self._fit_all(spec["inputs"], body.get("inputs"))
            and self._fit_all(spec["state"], body.get("state", []))
            and self._outputs_fit(body["output"], body.get("outputs"))
        )

    def _fit_all(self, specs: list[_Spec], given: Any) -> bool:
        return (
            isinstance(given, list)
            and len(given) == len(specs)
            and all(self._fits_one(spec, value) for spec, value in zip(specs, given, strict=True))
        )

    def _fits_one(self, spec: _Spec, given: Any) -> bool:
        """Whether a component, or the list of those that a pattern stands for, is the one that was wired."""
        pattern = _pattern(spec["id"])
        if pattern is None:
            return self._is_component(given, spec["id"], spec["property"])
        return isinstance(given, list) and all(_matches(pattern, spec["property"], item) for item in given)

    def _is_component(self, given: Any, component_id: str, prop: str) -> bool:
        if not isinstance(given, dict) or given.get("id") != component_id or given.get("property") != prop:
            return False
        return self._has_type(given.get("value"), component_id, prop)

    def _has_type(self, value: Any, component_id: str, prop: str) -> bool:
        types = _TYPES.get(prop)
        if value is None or types is None:
            return True
        if component_id in self.lists and isinstance(value, list):
            return all(isinstance(item, (str, int, float)) for item in value)
        return isinstance(value, types) and (bool in types or not isinstance(value, bool))

    def _outputs_fit(self, output: str, given: Any) -> bool:
        wired = output[2:-2].split("...") if output.startswith("..") else [output]
        parts = given if output.startswith("..") else [given]
        if not isinstance(parts, list) or len(parts) != len(wired):
            return False
        specs = ({"id": name.rpartition(".")[0], "property": name.rpartition(".")[2]} for name in wired)
        return all(self._fits_one(spec, part) for spec, part in zip(specs, parts, strict=True))


def _matches(pattern: Mapping[str, Any], prop: str, given: Any) -> bool:
    if not isinstance(given, dict) or given.get("property") != prop or not isinstance(given.get("id"), dict):
        return False
    named = given["id"]
    if named.keys() != pattern.keys() or (prop == "id" and "value" in given and given["value"] != named):
        return False
    return all(isinstance(named[key], str) for key in named) and all(
        isinstance(wanted, list) or named[key] == wanted for key, wanted in pattern.items()
    )


def _pattern(component_id: str) -> dict[str, Any] | None:
    return json.loads(component_id) if component_id.startswith("{") else None


def _are_texts(given: Any) -> bool:
    return isinstance(given, list) and all(isinstance(item, str) for item in given)
