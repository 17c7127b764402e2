"""What the resources of a file may refer to: patients and questionnaires; and whom a reference names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from mbc.errors import ImportRefused
from mbc.exchange.fhir.questionnaire_match import Definitions
from mbc.exchange.fhir.resource_files import Loaded, Resource, load_resources
from mbc.exchange.fhir.resources import OURS, Observation, Patient, Questionnaire, Reference, Response
from mbc.exchange.files.messages import quote
from mbc.exchange.header.options import ImportOptions
from mbc.exchange.header.questionnaires import chosen
from mbc.instruments import Instrument

_VERSION = re.compile(r"/_history/[^/]*$")
_TYPED = re.compile(r"(?:^|/)(?P<kind>[A-Z][A-Za-z]+)/[^/]+$")
ModelT = TypeVar("ModelT", Response, Observation, Questionnaire, Patient)


@dataclass(frozen=True, slots=True)
class Context:
    """What a response may refer to."""

    definitions: Definitions
    patients: Mapping[str, str]
    """Address of a Patient in the file -> what the client is called on record."""
    options: ImportOptions
    named: tuple[str, ...]

    @classmethod
    def of(cls, loaded: Loaded, options: ImportOptions) -> Context:
        """Collect what a file, and the questionnaires named with it, define."""
        files = [loaded] if options.questionnaire is None else [loaded, load_resources(options.questionnaire)]
        questionnaires = [
            valid(Questionnaire, resource, file) for file in files for resource in file.of("Questionnaire")
        ]
        if options.questionnaire is not None and not any(files[1].of("Questionnaire")):
            raise ImportRefused(f"'{quote(files[1].name)}' holds no Questionnaire.")
        return cls(Definitions.of(questionnaires), _patients(loaded), options, chosen(options))

    def client(self, subject: Reference | None) -> str | None:
        """Name the client that a resource is about; None where it is not about a person."""
        if subject is None or not_a_patient(subject):
            return None
        if subject.reference:
            address = unversioned(subject.reference)
            return self.patients.get(address) or _last(address)
        return subject.identifier.value if subject.identifier else None

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
    match = _TYPED.search(unversioned(subject.reference or ""))
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
        faults = "; ".join(f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in fault.errors()[:3])
        raise ImportRefused(
            f"'{quote(loaded.name)}', {loaded.noun} {resource.place}: no valid {resource.kind} "
            f"({quote(faults, longest=300)})."
        ) from None
    except RecursionError:
        raise ImportRefused(f"'{quote(loaded.name)}', {loaded.noun} {resource.place}: nested too deep.") from None


def _last(reference: str) -> str:
    """Take the id from a reference: ``Patient/7``, an address that ends in it, ``urn:uuid:...``."""
    return reference.partition("|")[0].rpartition("/")[2].rpartition(":")[2]


def _patients(loaded: Loaded) -> dict[str, str]:
    clients: dict[str, str] = {}
    for resource in loaded.of("Patient"):
        patient = valid(Patient, resource, loaded)
        ours = next(
            (
                identifier.value
                for identifier in patient.identifier
                if identifier.system == f"{OURS}client" and identifier.value
            ),
            None,
        )
        name = ours or patient.id
        if name is None:
            continue
        for address in (resource.address, patient.id and f"Patient/{patient.id}"):
            if address:
                clients[unversioned(address)] = name
    return clients
