"""What the resources of a file may refer to: patients and questionnaires; and whom a reference names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from pydantic import ValidationError

from mbc.errors import ImportRefused
from mbc.exchange.fhir.questionnaire_match import Definitions
from mbc.exchange.fhir.resource_files import Loaded, Resource, load_resources
from mbc.exchange.fhir.resources import (
    OURS,
    CodeList,
    Identifier,
    Observation,
    Patient,
    Questionnaire,
    Reference,
    Response,
)
from mbc.exchange.files.messages import quote
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import chosen
from mbc.instruments import Instrument

_VERSION = re.compile(r"/_history/[^/]*$")
_TYPED = re.compile(r"(?:^|/)(?P<kind>[A-Z][A-Za-z]+)/[^/]+$")
_ONE_TIME = re.compile(r"(urn:uuid:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PREFERRED = ("official", "usual")
ModelT = TypeVar("ModelT", Response, Observation, Questionnaire, Patient, CodeList)


@dataclass(frozen=True, slots=True)
class _Named:
    """What a person is called on record, and in which system of identifiers."""

    client: str
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What a response may refer to."""

    definitions: Definitions
    patients: Mapping[str, _Named]
    """Address or ``system|value`` of a Patient in the file -> what the client is called on record."""
    options: ImportOptions
    named: tuple[str, ...]
    systems: dict[str, str | None] = field(default_factory=dict[str, str | None])
    """Client -> the system of identifiers that the name is from."""

    @classmethod
    def of(cls, loaded: Loaded, options: ImportOptions) -> Context:
        """Collect what a file, and the questionnaires named with it, define."""
        files = [loaded] if options.questionnaire is None else [loaded, load_resources(options.questionnaire)]
        questionnaires = [
            valid(Questionnaire, resource, file) for file in files for resource in file.of("Questionnaire")
        ]
        if options.questionnaire is not None and not any(files[1].of("Questionnaire")):
            raise ImportRefused(f"'{quote(files[1].name)}' contains no Questionnaire.")
        lists = [
            valid(CodeList, resource, file)
            for file in files
            for kind in ("ValueSet", "CodeSystem")
            for resource in file.of(kind)
        ]
        return cls(Definitions.of(questionnaires, lists), _patients(loaded), options, chosen(options))

    def client(self, subject: Reference | None) -> str | None:
        """Name the client that a resource is about; None where it is not about a person or nobody can be named."""
        named = self._named(subject)
        return None if named is None else named.client

    def subject_fault(self, subject: Reference | None) -> str | None:
        """Say why a reference names nobody, or somebody who may be two people."""
        named = self._named(subject)
        if named is None:
            reference = subject.reference if subject else None
            return None if not reference else f"its subject '{quote(reference)}' is not a Patient in the file"
        known = self.systems.setdefault(named.client, named.system)
        if known != named.system and None not in {known, named.system}:
            return (
                f"client '{quote(named.client)}' is an identifier in two systems ({quote(known)} and "
                f"{quote(named.system)}): are they the same person?"
            )
        return None

    def _named(self, subject: Reference | None) -> _Named | None:
        if subject is None or not_a_patient(subject):
            return None
        if not subject.reference:
            return _of_identifier(subject.identifier)
        address = unversioned(subject.reference)
        if address in self.patients:
            return self.patients[address]
        asked = _asked(address) if "?" in address else subject.identifier
        if "?" in address or (asked is not None and asked.value):
            return None if asked is None else self.patients.get(_key(asked), _of_identifier(asked))
        return self._of_address(address)

    def _of_address(self, address: str) -> _Named | None:
        last = _last(address)
        if not last or address.startswith(("urn:uuid:", "#")):
            return None  # an address inside the file that leads nowhere
        return self.patients.get(f"Patient/{last}", _Named(last)) if "/Patient/" in address else _Named(last)

    def form(self, measure: Instrument, written: str | None) -> str | None:
        """Name the item order that is meant, where it is stated."""
        form_key = written or self.options.form.get(measure.key, self.options.form.get(""))
        return form_key if form_key in {form.key for form in measure.forms} else None


def unversioned(reference: str) -> str:
    """Take the number of a version off a reference: every version is about the same.

    Examples
    --------
    >>> unversioned("Patient/7/_history/2")
    'Patient/7'
    """
    return _VERSION.sub("", reference.strip())


def not_a_patient(subject: Reference | None) -> str | None:
    """Name the type that a reference points to where that is not Patient.

    Examples
    --------
    >>> not_a_patient(Reference(reference="Group/3")), not_a_patient(Reference(reference="https://x/fhir/Patient/3"))
    ('Group', None)
    """
    if subject is None:
        return None
    reference = unversioned(subject.reference or "").partition("?")
    match = _TYPED.search(f"{reference[0]}/x" if reference[1] else reference[0])
    kind = (match and match["kind"]) or (subject.type or "").rpartition("/")[2]
    return kind if kind and kind != "Patient" else None


def when(moment: str | None, day: str | None) -> dict[str, str | None]:
    """Return the calendar day and the moment of a dateTime; ``day`` comes from an extension of our own."""
    return {"taken_on": day or moment, "taken_at": moment if moment and "T" in moment else None}


def valid(model: type[ModelT], resource: Resource, loaded: Loaded) -> ModelT:
    """Read a resource, or refuse it with its place."""
    try:
        return model.model_validate(resource.content)
    except ValidationError as fault:
        if any("recursion" in error["type"] for error in fault.errors()):
            raise ImportRefused(_too_deep(resource, loaded)) from None
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors()[:3])
        raise ImportRefused(
            f"'{quote(loaded.name)}', {loaded.noun} {resource.place}: not a valid {resource.kind} "
            f"({quote(faults, longest=300)})."
        ) from None
    except RecursionError:
        raise ImportRefused(_too_deep(resource, loaded)) from None


def _too_deep(resource: Resource, loaded: Loaded) -> str:
    return (
        f"'{quote(loaded.name)}', {loaded.noun} {resource.place}: a {resource.kind} nested too deeply. Items up "
        "to about 200 levels deep are read."
    )


def _asked(reference: str) -> Identifier | None:
    """Read the identifier that a conditional reference asks for: ``Patient?identifier=urn:mrn|55``."""
    query = dict(parse_qsl(urlsplit(reference).query))
    system, sign, value = query.get("identifier", "").rpartition("|")
    return Identifier(system=system or None, value=value) if value and (sign or value) else None


def _key(identifier: Identifier) -> str:
    return f"{identifier.system or ''}|{identifier.value}"


def _of_identifier(identifier: Identifier | None) -> _Named | None:
    return _Named(identifier.value, identifier.system) if identifier is not None and identifier.value else None


def _last(reference: str) -> str:
    """Take the id from a reference: ``Patient/7``, an address that ends in it."""
    return reference.partition("|")[0].rpartition("/")[2].rpartition(":")[2]


def _patients(loaded: Loaded) -> dict[str, _Named]:
    clients: dict[str, _Named] = {}
    for resource in loaded.of("Patient"):
        patient = valid(Patient, resource, loaded)
        named = _called(patient, resource.address)
        if named is None:
            continue
        for address in (resource.address, patient.id and f"Patient/{patient.id}", *_keys(patient)):
            if address:
                clients[unversioned(address)] = named
    return clients


def _called(patient: Patient, address: str | None) -> _Named | None:
    """Choose what a patient is called: our own identifier, an id that lasts, else another identifier."""
    ours = next((each.value for each in patient.identifier if each.system == f"{OURS}client" and each.value), None)
    if ours is not None:
        return _Named(ours)
    if patient.id is not None and not _ONE_TIME.fullmatch(patient.id):
        return _Named(patient.id)
    usable = [each for each in patient.identifier if each.value]
    preferred = [each for each in usable if each.use in _PREFERRED] or usable
    if len({each.value for each in preferred}) == 1:
        return _of_identifier(preferred[0])
    if patient.id is not None and not (address or "").startswith("urn:uuid:"):
        return _Named(patient.id)
    return None


def _keys(patient: Patient) -> Iterator[str]:
    for identifier in patient.identifier:
        if identifier.value:
            yield _key(identifier)
            yield f"|{identifier.value}"
