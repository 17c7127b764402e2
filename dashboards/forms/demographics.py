"""The form of demographics: in the clinic's own codes, for those with the permission alone."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.forms.entry import Draft, EntryForm, Subject
from dashboards.forms.fields import Field, Reading
from mbc.errors import StoreError
from mbc.store.schema.entries import STRATA, Demographics

_LABELS = {
    "age_band": ("Age band", "such as 25-34"),
    "gender": ("Gender", ""),
    "ethnicity": ("Ethnicity", ""),
    "payer": ("Payer", ""),
    "modality": ("Mode of care", "such as alone, remote"),
    "approach": ("Therapist's approach", ""),
    "relationship_structure": ("Relationship structure", ""),
}
_LONGEST = 64


def _standing(subject: Subject) -> Demographics | None:
    return next(iter(subject.of(Demographics)), None)


def _fields(subject: Subject, record: Demographics | None, _: Mapping[str, str]) -> tuple[Field, ...]:
    codes = tuple(
        Field(
            name, label, value=("" if record is None else getattr(record, name)) or "", required=False,
            longest=_LONGEST, hint=hint,
        )
        for name, (label, hint) in _LABELS.items()
    )  # fmt: skip
    shown = subject.today if record is None else record.recorded_on
    return (*codes, Field("recorded_on", "Date", "day", shown.isoformat(), most=subject.today))


def _draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft:
    codes = {name: typed.text(name) or None for name in STRATA}
    if not any(codes.values()):
        raise StoreError("Enter at least one code.")
    return Draft((Demographics(subject.client_id, typed.day("recorded_on"), **codes),))


DEMOGRAPHICS = EntryForm(
    "demographics", "Demographics", "Care", (Demographics,), _fields, _draft, changes=True, standing=_standing,
    permission="demographics:read",
    lead="In the clinic's own codes: letters, digits, dots and dashes. Every field is optional.",
)  # fmt: skip
