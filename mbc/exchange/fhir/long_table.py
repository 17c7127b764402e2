"""The long table that FHIR resources are written into, and what was found while reading."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from mbc.exchange.cells.text import IN_ERROR
from mbc.exchange.fhir.references import Context, not_a_patient
from mbc.exchange.fhir.resources import Reference
from mbc.exchange.files.messages import quote

Row = dict[str, str | int | None]
COLUMNS = (
    "client_id", "taken_on", "taken_at", "session_number", "target", "informant", "episode_id", "version",
    "instrument", "form", "coding", "item", "value", "scale", "score",
)  # fmt: skip


def status_fault(status: str, counts: str) -> str:
    """Say why a resource of a status does not count; ``counts`` is the status that would."""
    if status in {"entered-in-error", "cancelled"}:
        return f"it was {IN_ERROR}, according to its status ('{status}')"
    return f"its status is '{quote(status)}'; only {counts} is read"


@dataclass(frozen=True, slots=True)
class Head:
    """The occasion of a response, and the scores among its own items."""

    cells: Row
    scores: dict[str, str]


@dataclass(slots=True)
class Sheet:
    """What has been read so far."""

    rows: list[Row] = field(default_factory=list[Row])
    faults: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    heads: dict[str, list[Head]] = field(default_factory=dict[str, list[Head]])
    """Address of a response in the file -> its occasions, one per questionnaire."""
    taken: list[Head] = field(default_factory=list[Head])
    """The same occasions, each once, as far as their responses count."""
    unknown: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    """Questionnaires that are none of ours -> places."""
    unused: Counter[str] = field(default_factory=Counter[str])
    """Link ids that are not an item -> how often."""
    remarks: dict[str, None] = field(default_factory=dict[str, None])
    """Notes, each once."""
    derived: int = 0
    others: int = 0
    """Observations that are no score of a known questionnaire."""
    other_components: int = 0

    def check_subject(self, place: int, subject: Reference | None, context: Context) -> None:
        """Record a resource that is not about a person, or about one who cannot be distinguished."""
        kind = not_a_patient(subject)
        if kind is not None:
            self.faults.append((place, f"its subject is a {quote(kind)}, not a Patient"))
        elif (fault := context.subject_fault(subject)) is not None:
            self.faults.append((place, fault))
