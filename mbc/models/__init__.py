"""Statistics: arrays and tidy frames in, frozen results out.

Every name here is loaded when first used, so that importing this package costs nothing.
Several functions carry the name of their module (``reliable_change`` lives in ``reliable_change.py``);
as an attribute of this package such a name is always the function.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mbc.models.change.norms import Norms as Norms
    from mbc.models.clinical_significance import ClinicalSignificance as ClinicalSignificance
    from mbc.models.clinical_significance import Cutoff as Cutoff
    from mbc.models.clinical_significance import clinical_significance as clinical_significance
    from mbc.models.clinical_significance import cutoff as cutoff
    from mbc.models.effect_size import EffectSize as EffectSize
    from mbc.models.effect_size import effect_size as effect_size
    from mbc.models.growth.fitted import NotConverged as NotConverged
    from mbc.models.growth.growth_curve import GrowthCurve as GrowthCurve
    from mbc.models.growth.growth_curve import growth_curve as growth_curve
    from mbc.models.growth.prediction import ClientCurve as ClientCurve
    from mbc.models.proportions import Proportion as Proportion
    from mbc.models.proportions import wilson_interval as wilson_interval
    from mbc.models.reliable_change import ReliableChange as ReliableChange
    from mbc.models.reliable_change import reliable_change as reliable_change

# Where each public name lives: module -> names. One line per module keeps edits by several hands apart.
_MODULES = {
    "change.norms": ("Norms",),
    "clinical_significance": ("ClinicalSignificance", "Cutoff", "clinical_significance", "cutoff"),
    "effect_size": ("EffectSize", "effect_size"),
    "growth.fitted": ("NotConverged",),
    "growth.growth_curve": ("GrowthCurve", "growth_curve"),
    "growth.prediction": ("ClientCurve",),
    "proportions": ("Proportion", "wilson_interval"),
    "reliable_change": ("ReliableChange", "reliable_change"),
}
_HOME = {name: f"mbc.models.{module}" for module, names in _MODULES.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]


class _Models(ModuleType):
    """This package: importing ``mbc.models.reliable_change`` must not hide the function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if isinstance(value, ModuleType) and _HOME.get(name) == value.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'mbc.models' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Models
