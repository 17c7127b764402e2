"""Scores as items that form programs work out by themselves: calculated expressions (SDC) in a Questionnaire."""

from __future__ import annotations

from typing import Any

from mbc.exchange.fhir.answer_values import plain
from mbc.exchange.fhir.resources import LOINC
from mbc.instruments import Coding, Form, Instrument, Scale

_CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression"
_RULES = frozenset({"sum", "mean", "scaled_sum", "scaled_mean"})
Row = dict[str, Any]


def score_items(measure: Instrument, form: Form, coding: Coding) -> list[Row]:
    """Make a read-only item for each scale whose score is a sum or mean of its answers, all of them given.

    Scales with blanks made up for, items that may not apply, or an algorithm of their own have none.
    """
    return [
        {
            "linkId": f"{measure.key}_{scale.key}",
            **({"code": [{"system": LOINC, "code": scale.loinc}]} if scale.loinc else {}),
            "text": scale.title,
            "type": "decimal",
            "readOnly": True,
            "extension": [
                {
                    "url": _CALCULATED,
                    "valueExpression": {
                        "description": "Only where every item is answered.",
                        "language": "text/fhirpath",
                        "expression": expression(measure, form, coding, scale),
                    },
                }
            ],
        }
        for scale in measure.scales
        if _is_sum(measure, coding, scale)
    ]


def expression(measure: Instrument, form: Form, coding: Coding, scale: Scale) -> str:
    """Write a scale's score in FHIRPath: weights added, those of reversed items taken off.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> who5 = instrument("who5")
    >>> print(expression(who5, who5.form(), who5.coding(), who5.main_scale)[:66])
    iif(%resource.item.where(linkId in ('who5_1' | 'who5_2' | 'who5_3'
    """
    columns = dict(zip(form.order, measure.item_columns(), strict=True))
    added: list[str] = []
    taken: list[str] = []
    constant = 0
    for item_id in scale.items:
        item = measure.item(item_id)
        sign, shift = coding.affine(item)
        low, high = coding.span(item)
        if item_id in scale.reverse:
            sign, shift = -sign, low + high - shift
        (added if sign > 0 else taken).append(columns[item_id])
        constant += shift
    number = "value.weight()" if measure.item(scale.items[0]).whole_numbers else "value"  # choices, or decimals
    total = " + ".join([*([f"{_answers(added)}.{number}.sum()"] if added else []), plain(float(constant))])
    total += f" - {_answers(taken)}.{number}.sum()" if taken else ""
    factor = "" if scale.factor == 1 else f" * {plain(scale.factor)}"
    count = len(scale.items)
    divided = f" / {count}" if scale.rule in {"mean", "scaled_mean"} else ""
    every = _answers([*added, *taken])
    return f"iif({every}.count() = {count}, ({total}){factor}{divided}, {{}})"


def _answers(columns: list[str]) -> str:
    listed = " | ".join(f"'{column}'" for column in columns)
    return f"%resource.item.where(linkId in ({listed})).answer"


def _is_sum(measure: Instrument, coding: Coding, scale: Scale) -> bool:
    items = [measure.item(item) for item in scale.items]
    alike = len({item.whole_numbers for item in items}) == 1 and not any(item.may_not_apply for item in items)
    return bool(items) and alike and scale.rule in _RULES and scale.algorithm is None and not coding.metric
