"""What adding a record did, or would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["stored", "duplicate", "superseding"]


@dataclass(frozen=True, slots=True)
class Preview:
    """What adding one administration would do; ``reason`` says why it would be refused."""

    outcome: Literal["stored", "duplicate", "superseding", "refused"]
    reason: str | None = None
