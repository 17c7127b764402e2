"""Who comes to the synthetic clinic, to whom, when, and with what in mind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mbc.simulate.streams import Bools, Ints, Stream

# Invented names of clinicians; clients have no names at all, only ids and aliases.
CLINICIANS: Final = (
    "Dr. Ilse Marten",
    "Dr. Noor Adeyemi",
    "Tomas Lindqvist",
    "Dr. Priya Venkat",
    "Camille Okafor",
    "Dr. Jonas Weil",
)
FOCUSES: Final = ("esteem", "attachment", "relationship", "symptoms")  # what a client works on most
SATISFACTION_FORMS: Final = ("csi16", "csi4", "csi32")
ATTACHMENT_FORMS: Final = ("ecr_s", "ecr_r")
_COLOURS: Final = (
    "Amber", "Ash", "Bronze", "Cedar", "Clear", "Copper", "Coral", "Dusky", "Early", "Fern", "Gentle", "Golden",
    "Grey", "Hazel", "Indigo", "Ivory", "Late", "Misty", "Mossy", "Olive", "Pale", "Quiet", "Russet", "Silver",
)  # fmt: skip
_THINGS: Final = (
    "alder", "bay", "birch", "brook", "cliff", "cove", "dune", "elm", "field", "finch", "ford", "garden", "grove",
    "harbour", "heath", "heron", "hill", "island", "lake", "lantern", "lark", "maple", "meadow", "mill", "moor",
    "orchard", "otter", "path", "pine", "plover", "pond", "reed", "ridge", "river", "shore", "sparrow", "tide",
    "valley", "willow", "wren",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class People:
    """One entry per client in every field."""

    client_id: tuple[str, ...]
    alias: tuple[str | None, ...]
    clinician: Ints  # position among the clinicians
    started: Ints  # calendar week of the first session
    weekday: Ints  # 0 is Monday
    planned: Ints  # weeks of treatment agreed on
    focus: Ints  # position in FOCUSES
    satisfaction_form: Ints  # position in SATISFACTION_FORMS
    attachment_form: Ints  # position in ATTACHMENT_FORMS
    takes_ras: Bools
    online: Bools  # usually meets by video
    careless: Bools  # leaves items blank more often

    def __len__(self) -> int:
        return len(self.client_id)


def draw_people(seed: int, clients: int, clinicians: int, weeks: int) -> People:
    """Draw the clients of a clinic; a third start in the first month, the others later.

    Parameters
    ----------
    seed : int
        The clinic's seed.
    clients, clinicians : int
        How many of each.
    weeks : int
        Calendar weeks of the record; nobody starts in the last quarter.
    """
    stream = Stream(seed, "people")
    late = np.floor(stream.uniform(clients) ** 1.3 * 0.72 * weeks).astype(np.int64)
    return People(
        client_id=tuple(f"C{number:0{max(3, len(str(clients)))}d}" for number in range(1, clients + 1)),
        alias=_aliases(stream, clients),
        clinician=stream.integers(0, clinicians, clients),
        started=np.where(stream.chance(0.33, clients), stream.integers(0, 4, clients), late),
        weekday=stream.integers(0, 5, clients),
        planned=np.clip(np.round(np.exp(3.15 + 0.35 * stream.normal(clients))), 8, 52).astype(np.int64),
        focus=stream.choice([30, 25, 25, 20], clients),
        satisfaction_form=stream.choice([80, 12, 8], clients),
        attachment_form=stream.choice([76, 24], clients),
        takes_ras=stream.chance(0.25, clients),
        online=stream.chance(0.35, clients),
        careless=stream.chance(0.08, clients),
    )


def _aliases(stream: Stream, clients: int) -> tuple[str | None, ...]:
    """Two-word labels, none twice; one client in ten, and all beyond the supply, have none."""
    every = [f"{colour} {thing}" for colour in _COLOURS for thing in _THINGS]
    shuffled = np.argsort(stream.uniform(len(every)))
    without = stream.chance(0.1, clients)
    return tuple(
        None if without[client] or client >= len(every) else every[shuffled[client]] for client in range(clients)
    )


def clinician_names(clinicians: int) -> tuple[str, ...]:
    """Display names; beyond the invented ones they are numbered.

    Examples
    --------
    >>> clinician_names(7)[5:]
    ('Dr. Jonas Weil', 'Clinician 7')
    """
    return tuple(CLINICIANS[n] if n < len(CLINICIANS) else f"Clinician {n + 1}" for n in range(clinicians))
