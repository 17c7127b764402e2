"""The parts of FHIR R4 resources that answers and scores are in; what else a resource holds is passed over.

Element names and cardinalities follow HL7 FHIR R4 (4.0.1): QuestionnaireResponse, Questionnaire, Observation.
"""

# ruff: noqa: N815
from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field

LOINC = "http://loinc.org"
OURS = "urn:mbc:"
"""Where identifiers, codes and extensions of our own live: few scores have a code that others know."""
SCORES = f"{OURS}score"
ANSWERS = f"{OURS}answer"
_STRUCTURE = "http://hl7.org/fhir/StructureDefinition/"
INSTRUMENT = f"{OURS}instrument:"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Coding(_Part):
    """A code in a system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: tuple[Extension, ...] = ()


class Extension(_Part):
    """Something a profile adds; only simple values are read."""

    url: str
    valueString: str | None = None
    valueCode: str | None = None
    valueDate: str | None = None
    valueInteger: int | None = None
    valueDecimal: float | None = None


class Identifier(_Part):
    """A business identifier."""

    use: str | None = None
    system: str | None = None
    value: str | None = None


class Reference(_Part):
    """A pointer to another resource."""

    reference: str | None = None
    type: str | None = None
    identifier: Identifier | None = None


class Quantity(_Part):
    """An amount."""

    value: float | None = None


class Concept(_Part):
    """A concept in one or several systems."""

    coding: tuple[Coding, ...] = ()
    text: str | None = None


class Answer(_Part):
    """One answer, of any simple type."""

    valueBoolean: bool | None = None
    valueDecimal: float | None = None
    valueInteger: int | None = None
    valueString: str | None = None
    valueDate: str | None = None
    valueCoding: Coding | None = None
    valueQuantity: Quantity | None = None
    item: tuple[Item, ...] = ()

    @property
    def has_value(self) -> bool:
        """Whether it is an answer and not only a place for further items."""
        return bool(self.model_fields_set - {"item"}) or not self.item


class Item(_Part):
    """One item of a response, or a group of them."""

    linkId: str
    answer: tuple[Answer, ...] = ()
    item: tuple[Item, ...] = ()

    def leaves(self) -> Iterator[Item]:
        """Walk through the items that were answered, however deep they are nested."""
        if any(answer.has_value for answer in self.answer):
            yield self
        for below in (*self.item, *(inner for answer in self.answer for inner in answer.item)):
            yield from below.leaves()


class Response(_Part):
    """A QuestionnaireResponse."""

    id: str | None = None
    questionnaire: str | None = None
    status: str
    subject: Reference | None = None
    source: Reference | None = None
    authored: str | None = None
    item: tuple[Item, ...] = ()
    contained: tuple[dict[str, object], ...] = ()
    extension: tuple[Extension, ...] = ()


class Option(_Part):
    """One answer that a question offers."""

    valueCoding: Coding | None = None
    valueInteger: int | None = None
    valueString: str | None = None
    extension: tuple[Extension, ...] = ()


class Question(_Part):
    """One item of a questionnaire's definition."""

    linkId: str
    code: tuple[Coding, ...] = ()
    answerOption: tuple[Option, ...] = ()
    answerValueSet: str | None = None
    item: tuple[Question, ...] = ()

    def all(self) -> Iterator[Question]:
        """Walk through this question and those below."""
        yield self
        for below in self.item:
            yield from below.all()


class Questionnaire(_Part):
    """A questionnaire's definition."""

    id: str | None = None
    url: str | None = None
    version: str | None = None
    name: str | None = None
    title: str | None = None
    code: tuple[Coding, ...] = ()
    item: tuple[Question, ...] = ()
    contained: tuple[dict[str, object], ...] = ()


class Property(_Part):
    """A property of a concept of a code system."""

    code: str
    valueInteger: int | None = None
    valueDecimal: float | None = None


class ListedCode(_Part):
    """A code in a value set or code system."""

    system: str | None = None
    code: str | None = None
    display: str | None = None
    extension: tuple[Extension, ...] = ()
    property: tuple[Property, ...] = ()
    concept: tuple[ListedCode, ...] = ()
    contains: tuple[ListedCode, ...] = ()

    def all(self) -> Iterator[ListedCode]:
        """Walk through this code and those below."""
        yield self
        for below in (*self.concept, *self.contains):
            yield from below.all()


class CodeGroup(_Part):
    """Codes of one system that a value set includes."""

    system: str | None = None
    concept: tuple[ListedCode, ...] = ()


class Compose(_Part):
    """What a value set is composed of."""

    include: tuple[CodeGroup, ...] = ()


class Expansion(_Part):
    """The codes of a value set, listed."""

    contains: tuple[ListedCode, ...] = ()


class CodeList(_Part):
    """A ValueSet or CodeSystem, as far as it lists answers."""

    resourceType: str = ""
    id: str | None = None
    url: str | None = None
    compose: Compose | None = None
    expansion: Expansion | None = None
    concept: tuple[ListedCode, ...] = ()

    def options(self) -> Iterator[Option]:
        """List its answers."""
        if self.resourceType == "CodeSystem":
            groups = [(self.url, self.concept)]
        elif self.expansion is not None and self.expansion.contains:
            groups = [(None, self.expansion.contains)]
        else:
            groups = [(group.system, group.concept) for group in (self.compose.include if self.compose else ())]
        for system, codes in groups:
            for top in codes:
                for listed in top.all():
                    weights = tuple(
                        Extension(
                            url=f"{_STRUCTURE}{each.code}",
                            valueDecimal=each.valueDecimal,
                            valueInteger=each.valueInteger,
                        )
                        for each in listed.property
                    )
                    yield Option(
                        valueCoding=Coding(
                            system=listed.system or system,
                            code=listed.code,
                            display=listed.display,
                            extension=(*listed.extension, *weights),
                        )
                    )


class _Measured(_Part):
    """A code and its number."""

    code: Concept
    valueQuantity: Quantity | None = None
    valueInteger: int | None = None
    valueDecimal: float | None = None  # not part of R4, but in use

    @property
    def value(self) -> float | None:
        """The number."""
        quantity = self.valueQuantity.value if self.valueQuantity else None
        return next(
            (number for number in (quantity, self.valueInteger, self.valueDecimal) if number is not None), None
        )


class Component(_Measured):
    """One of several scores in one Observation."""


class Observation(_Measured):
    """A score, or several as components, where it is one."""

    id: str | None = None
    status: str
    subject: Reference | None = None
    effectiveDateTime: str | None = None
    derivedFrom: tuple[Reference, ...] = ()
    component: tuple[Component, ...] = ()
    extension: tuple[Extension, ...] = ()


class Patient(_Part):
    """Only what a patient is called by."""

    id: str | None = None
    identifier: tuple[Identifier, ...] = Field(default=())


def extra(extensions: tuple[Extension, ...], name: str) -> str | None:
    """Find the value of an extension of our own, as text."""
    for extension in extensions:
        if extension.url == f"{OURS}{name}":
            values = (extension.valueString, extension.valueCode, extension.valueDate, extension.valueInteger)
            first = next((value for value in values if value is not None), None)
            return None if first is None else str(first)
    return None
