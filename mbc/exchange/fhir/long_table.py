"""The long table that FHIR resources are written into, and what was found while reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mbc.exchange.fhir.references import not_a_patient
from mbc.exchange.fhir.resources import Reference
from mbc.exchange.files.messages import quote

Row = dict[str, str | int | None]
COLUMNS = (
    "client_id", "taken_on", "taken_at", "session_number", "target", "informant", "episode_id", "version",
    "instrument", "form", "coding", "item", "value", "scale", "score",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The occasion of a response, and the scores among its own items."""

    cells: Row
    scores: dict[str, str]


@dataclass(slots=True)
class Sheet:
    """What has been read so far."""

    rows: list[Row] = field(default_factory=list)
    faults: list[tuple[int, str]] = field(default_factory=list)
    heads: dict[str, Head] = field(default_factory=dict)
    """Address of a response in the file -> its occasion."""
    taken: list[Head] = field(default_factory=list)
    """The same occasions, each once, as far as their responses count."""
    unknown: dict[str, list[int]] = field(default_factory=dict)
    """Questionnaires that are none of ours -> places."""
    unused: Counter[str] = field(default_factory=Counter)
    """Link ids that are not an item -> how often."""
    derived: int = 0
    others: int = 0

    def about_a_person(self, place: int, subject: Reference | None) -> None:
        """Note a resource that is about something else."""
        kind = not_a_patient(subject)
        if kind is not None:
            self.faults.append((place, f"its subject is a {quote(kind)}, not a Patient"))
