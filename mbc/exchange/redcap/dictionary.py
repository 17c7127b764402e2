"""The fields of a REDCap project's data dictionary: their form, kind, choices and validation."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mbc.errors import ImportRefused
from mbc.exchange.files.delimited import read_text_table
from mbc.exchange.files.messages import join_names, quote
from mbc.exchange.header.columns import fold

# The 18 columns of a dictionary, in REDCap's order and wording, with their names in its API.
COLUMNS: Mapping[str, str] = {
    "Variable / Field Name": "field_name",
    "Form Name": "form_name",
    "Section Header": "section_header",
    "Field Type": "field_type",
    "Field Label": "field_label",
    "Choices, Calculations, OR Slider Labels": "select_choices_or_calculations",
    "Field Note": "field_note",
    "Text Validation Type OR Show Slider Number": "text_validation_type_or_show_slider_number",
    "Text Validation Min": "text_validation_min",
    "Text Validation Max": "text_validation_max",
    "Identifier?": "identifier",
    "Branching Logic (Show field only if...)": "branching_logic",
    "Required Field?": "required_field",
    "Custom Alignment": "custom_alignment",
    "Question Number (surveys only)": "question_number",
    "Matrix Group Name": "matrix_group_name",
    "Matrix Ranking?": "matrix_ranking",
    "Field Annotation": "field_annotation",
}
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BIRTH = re.compile(
    r"\b(dob|birth\w*|born|geb|geburt\w*|geboren|geboorte\w*|naissance|nacimiento|nascimento|nascita|f(ø|ö)d\w*|urodz\w*)\b"
)
_FIXED = {"yesno": {"1": "Yes", "0": "No"}, "truefalse": {"1": "True", "0": "False"}}
_CHOSEN = {"radio", "dropdown", "checkbox", "sql"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a project."""

    name: str
    form: str
    kind: str
    """text, radio, dropdown, checkbox, yesno, calc ..."""
    label: str
    choices: Mapping[str, str]
    """Code -> label."""
    validation: str
    """date_ymd, number ... or empty."""

    @property
    def is_date(self) -> bool:
        """Whether it is a day or a moment on which a form may have been filled in: no date of birth."""
        named = f"{self.name.replace('_', ' ')} {self.label}"
        return self.validation.startswith(("date_", "datetime_")) and _BIRTH.search(named.casefold()) is None

    def column(self, code: str) -> str:
        """Name the column that exports one choice of a checkbox.

        Examples
        --------
        >>> gym = Field("gym", "week", "checkbox", "Gym", {"0": "Monday", "-9": "Never"}, "")
        >>> gym.column("0"), gym.column("-9")
        ('gym___0', 'gym____9')
        """
        return f"{self.name}___{re.sub('[^a-z0-9_]', '_', code.lower())}"


@dataclass(frozen=True)
class Dictionary:
    """All fields of a project, in their order; the first is the record's identifier."""

    fields: tuple[Field, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """Field by its name."""
        return {field.name: field for field in self.fields}

    def in_form(self, form: str) -> tuple[Field, ...]:
        """Fields of one form."""
        return tuple(field for field in self.fields if field.form == form)


def read_dictionary(path: str | Path) -> Dictionary:
    """Read a data dictionary as REDCap exports it (CSV, 18 columns) or as its API gives it.

    Raises
    ------
    ImportRefused
        When the file is not a data dictionary.
    """
    table = read_text_table(path)
    known = {fold(name): short for long, short in COLUMNS.items() for name in (long, short)}
    headers = {known[fold(name)]: name for name in table.columns if fold(name) in known}
    lacking = [long for long, short in COLUMNS.items() if short in _NEEDED and short not in headers]
    if lacking:
        raise ImportRefused(
            f"'{quote(table.name)}' is not a REDCap data dictionary: it lacks {join_names(lacking)}. It has "
            f"{join_names(table.columns)}."
        )
    frame = table.frame.select(**{short: headers[short] for short in headers if short in _READ})
    rows = (
        {**dict.fromkeys(_READ, ""), **{k: v or "" for k, v in row.items()}} for row in frame.iter_rows(named=True)
    )
    return Dictionary(tuple(_field(row) for row in rows))


_NEEDED = ("field_name", "form_name", "field_type")
_READ = (*_NEEDED, "field_label", "select_choices_or_calculations", "text_validation_type_or_show_slider_number",
         "text_validation_min", "text_validation_max")  # fmt: skip
_SLIDER = ("0", "100")  # ends of a slider, where the dictionary names no others


def _field(row: Mapping[str, str]) -> Field:
    kind = row["field_type"].casefold()
    choices = choices_of(row["select_choices_or_calculations"]) if kind in _CHOSEN else _FIXED.get(kind, {})
    if kind == "slider":
        ends = (row["text_validation_min"] or _SLIDER[0], row["text_validation_max"] or _SLIDER[1])
        labels = [plain_label(label) for label in row["select_choices_or_calculations"].split("|")]
        choices = dict(zip(ends, (labels[0], labels[-1]), strict=True))
    return Field(
        name=row["field_name"],
        form=row["form_name"],
        kind=kind,
        label=plain_label(row["field_label"]),
        choices=choices,
        validation=row["text_validation_type_or_show_slider_number"],
    )


def plain_label(text: str) -> str:
    """Take markup out of a label, as an export with labels does.

    Examples
    --------
    >>> plain_label('<div class="rich-text-field-label"><p>Little  <b>interest</b> &amp; joy</p></div>')
    'Little interest & joy'
    """
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def choices_of(text: str) -> dict[str, str]:
    """Take a field's choices apart.

    Examples
    --------
    >>> choices_of("0, Not at all | 1, Several days, on and off | -9, Refused")
    {'0': 'Not at all', '1': 'Several days, on and off', '-9': 'Refused'}
    """
    pairs = (part.partition(",") for part in re.split(r"\s*[|\n]\s*", text.strip()) if part.strip())
    return {code.strip(): plain_label(label) for code, _, label in pairs}
