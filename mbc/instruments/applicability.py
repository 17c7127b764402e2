"""Whether an instrument's questions apply to a person's current situation."""

from __future__ import annotations

from typing import Literal

from mbc.arguments import checks
from mbc.errors import MbcError
from mbc.instruments.definition.definition import Instrument
from mbc.instruments.library import instrument as load

RelationshipStatus = Literal[
    "single", "dating", "partnered", "cohabiting", "married", "separated", "ended", "widowed"
]
CURRENT: frozenset[str] = frozenset({"dating", "partnered", "cohabiting", "married"})


@checks(error=MbcError)
def applicable(instrument: str | Instrument, status: RelationshipStatus) -> bool:
    """Whether the instrument applies to a relationship of this status.

    Satisfaction is asked of a *current* relationship: once it is over the scale does not apply, and that is
    neither a zero nor a deterioration. ``separated`` counts as over, until the record says otherwise.
    Attachment, self-esteem, symptoms and safety apply to everybody; danger does not end with a relationship.

    Parameters
    ----------
    instrument : str or Instrument
        Key or definition.
    status : str
        ``single``, ``dating``, ``partnered``, ``cohabiting``, ``married``, ``separated``, ``ended``, ``widowed``.

    Raises
    ------
    MbcError
        If the status is none of these.

    Examples
    --------
    >>> applicable("csi16", "married"), applicable("csi16", "ended"), applicable("rses", "single")
    (True, False, True)
    """
    definition = load(instrument) if isinstance(instrument, str) else instrument
    return status in CURRENT or not definition.applicability.needs_relationship
