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
    from mbc.models.change.anchors import MeaningfulChange as MeaningfulChange
    from mbc.models.change.anchors import anchor_change as anchor_change
    from mbc.models.change.anchors import percentage_change as percentage_change
    from mbc.models.change.comparing import compare_methods as compare_methods
    from mbc.models.change.comparing import group_outcomes as group_outcomes
    from mbc.models.change.group_level import group_change as group_change
    from mbc.models.change.group_level import group_difference as group_difference
    from mbc.models.change.group_level import hageman_arrindell_rates as hageman_arrindell_rates
    from mbc.models.change.irt import GradedItem as GradedItem
    from mbc.models.change.irt import conditional_change as conditional_change
    from mbc.models.change.irt import irt_change as irt_change
    from mbc.models.change.irt import latent_scores as latent_scores
    from mbc.models.change.long import Pairs as Pairs
    from mbc.models.change.long import pairs as pairs
    from mbc.models.change.many_occasions import FirstReliableChange as FirstReliableChange
    from mbc.models.change.many_occasions import familywise_error as familywise_error
    from mbc.models.change.many_occasions import first_reliable_change as first_reliable_change
    from mbc.models.change.many_occasions import many_to_one_critical as many_to_one_critical
    from mbc.models.change.norms import Norms as Norms
    from mbc.models.change.slopes import ClientSlopes as ClientSlopes
    from mbc.models.change.slopes import slopes_from_sums as slopes_from_sums
    from mbc.models.change.summaries import OutcomeRates as OutcomeRates
    from mbc.models.change.summaries import outcome_rates as outcome_rates
    from mbc.models.change.trends import ReliableTrend as ReliableTrend
    from mbc.models.change.trends import mean_baseline_change as mean_baseline_change
    from mbc.models.change.trends import reliable_trend as reliable_trend
    from mbc.models.change.trends import within_person_sem as within_person_sem
    from mbc.models.change.true_change import TrueChange as TrueChange
    from mbc.models.change.true_change import true_change as true_change
    from mbc.models.clinical_significance import ClinicalSignificance as ClinicalSignificance
    from mbc.models.clinical_significance import Cutoff as Cutoff
    from mbc.models.clinical_significance import clinical_significance as clinical_significance
    from mbc.models.clinical_significance import cutoff as cutoff
    from mbc.models.controlled_effect import benchmark_effect as benchmark_effect
    from mbc.models.controlled_effect import controlled_effect_size as controlled_effect_size
    from mbc.models.controlled_effect import controlled_from_moments as controlled_from_moments
    from mbc.models.course import Courses as Courses
    from mbc.models.course import course as course
    from mbc.models.courses.gains import SuddenGains as SuddenGains
    from mbc.models.courses.one_course import Course as Course
    from mbc.models.courses.sudden import sudden_gains as sudden_gains
    from mbc.models.courses.sudden import sudden_losses as sudden_losses
    from mbc.models.dropout.attendance import AttendanceWeights as AttendanceWeights
    from mbc.models.dropout.attendance import attendance_weights as attendance_weights
    from mbc.models.dropout.imputing import DeltaImputation as DeltaImputation
    from mbc.models.dropout.imputing import delta_imputation as delta_imputation
    from mbc.models.dropout.pooling import Pooled as Pooled
    from mbc.models.dropout.pooling import rubin as rubin
    from mbc.models.dropout.sensitivity import DropoutSensitivity as DropoutSensitivity
    from mbc.models.dropout.sensitivity import dropout_sensitivity as dropout_sensitivity
    from mbc.models.dyads import ActorPartner as ActorPartner
    from mbc.models.dyads import CommonFate as CommonFate
    from mbc.models.dyads import actor_partner as actor_partner
    from mbc.models.dyads import common_fate as common_fate
    from mbc.models.effect_size import EffectSize as EffectSize
    from mbc.models.effect_size import Moments as Moments
    from mbc.models.effect_size import effect_size as effect_size
    from mbc.models.effect_size import effect_size_from_moments as effect_size_from_moments
    from mbc.models.expected.signals import Signal as Signal
    from mbc.models.expected.validation import ProspectiveValidation as ProspectiveValidation
    from mbc.models.expected.validation import prospective_validation as prospective_validation
    from mbc.models.expected_course import ExpectedCourse as ExpectedCourse
    from mbc.models.expected_course import Forecast as Forecast
    from mbc.models.expected_course import expected_course as expected_course
    from mbc.models.goals import goal_attainment as goal_attainment
    from mbc.models.goals import goal_change as goal_change
    from mbc.models.goals import goal_probability as goal_probability
    from mbc.models.goals import goal_probability_by as goal_probability_by
    from mbc.models.goals import goal_probability_on_curve as goal_probability_on_curve
    from mbc.models.growth.fitted import NotConverged as NotConverged
    from mbc.models.growth.growth_curve import GrowthCurve as GrowthCurve
    from mbc.models.growth.growth_curve import growth_curve as growth_curve
    from mbc.models.growth.mixedlm import mixedlm as mixedlm
    from mbc.models.growth.paired import PairedGrowth as PairedGrowth
    from mbc.models.growth.paired import paired_growth as paired_growth
    from mbc.models.growth.prediction import ClientCurve as ClientCurve
    from mbc.models.growth.residual_groups import GroupedResiduals as GroupedResiduals
    from mbc.models.growth.residual_groups import residual_growth as residual_growth
    from mbc.models.growth.serial import SerialGrowth as SerialGrowth
    from mbc.models.growth.serial import serial_growth as serial_growth
    from mbc.models.growth.student import RobustGrowth as RobustGrowth
    from mbc.models.growth.student import robust_growth as robust_growth
    from mbc.models.growth.therapist import TherapistGrowth as TherapistGrowth
    from mbc.models.growth.therapist import therapist_growth as therapist_growth
    from mbc.models.lagged import LaggedEffects as LaggedEffects
    from mbc.models.lagged import lagged_effects as lagged_effects
    from mbc.models.lagged import nickell_bias as nickell_bias
    from mbc.models.missing import PatternMixture as PatternMixture
    from mbc.models.missing import pattern_mixture as pattern_mixture
    from mbc.models.proportions import Proportion as Proportion
    from mbc.models.proportions import wilson_interval as wilson_interval
    from mbc.models.reliability import alpha as alpha
    from mbc.models.reliability import item_rest as item_rest
    from mbc.models.reliability import omega as omega
    from mbc.models.reliable_change import ReliableChange as ReliableChange
    from mbc.models.reliable_change import reliable_change as reliable_change
    from mbc.models.single_case import nonoverlap as nonoverlap
    from mbc.models.single_case import process_chart as process_chart
    from mbc.models.time_to_change import TimeToChange as TimeToChange
    from mbc.models.time_to_change import interval_time_to_change as interval_time_to_change
    from mbc.models.time_to_change import time_to_change as time_to_change
    from mbc.models.within_person import change_reliability as change_reliability

# Where each public name lives: module -> names. One line per module keeps edits by several hands apart.
_MODULES = {
    "change.anchors": ("MeaningfulChange", "anchor_change", "percentage_change"),
    "change.comparing": ("compare_methods", "group_outcomes"),
    "change.group_level": ("group_change", "group_difference", "hageman_arrindell_rates"),
    "change.irt": ("GradedItem", "conditional_change", "irt_change", "latent_scores"),
    "change.long": ("Pairs", "pairs"),
    "change.many_occasions": (
        "FirstReliableChange",
        "familywise_error",
        "first_reliable_change",
        "many_to_one_critical",
    ),
    "change.norms": ("Norms",),
    "change.slopes": ("ClientSlopes", "slopes_from_sums"),
    "change.summaries": ("OutcomeRates", "outcome_rates"),
    "change.trends": ("ReliableTrend", "mean_baseline_change", "reliable_trend", "within_person_sem"),
    "change.true_change": ("TrueChange", "true_change"),
    "clinical_significance": ("ClinicalSignificance", "Cutoff", "clinical_significance", "cutoff"),
    "controlled_effect": ("benchmark_effect", "controlled_effect_size", "controlled_from_moments"),
    "course": ("Courses", "course"),
    "courses.gains": ("SuddenGains",),
    "courses.one_course": ("Course",),
    "courses.sudden": ("sudden_gains", "sudden_losses"),
    "dropout.attendance": ("AttendanceWeights", "attendance_weights"),
    "dropout.imputing": ("DeltaImputation", "delta_imputation"),
    "dropout.pooling": ("Pooled", "rubin"),
    "dropout.sensitivity": ("DropoutSensitivity", "dropout_sensitivity"),
    "dyads": ("ActorPartner", "CommonFate", "actor_partner", "common_fate"),
    "effect_size": ("EffectSize", "Moments", "effect_size", "effect_size_from_moments"),
    "expected.signals": ("Signal",),
    "expected.validation": ("ProspectiveValidation", "prospective_validation"),
    "expected_course": ("ExpectedCourse", "Forecast", "expected_course"),
    "growth.fitted": ("NotConverged",),
    "growth.growth_curve": ("GrowthCurve", "growth_curve"),
    "growth.mixedlm": ("mixedlm",),
    "growth.paired": ("PairedGrowth", "paired_growth"),
    "growth.serial": ("SerialGrowth", "serial_growth"),
    "growth.student": ("RobustGrowth", "robust_growth"),
    "growth.therapist": ("TherapistGrowth", "therapist_growth"),
    "growth.residual_groups": ("GroupedResiduals", "residual_growth"),
    "growth.prediction": ("ClientCurve",),
    "goals": (
        "goal_attainment",
        "goal_change",
        "goal_probability",
        "goal_probability_by",
        "goal_probability_on_curve",
    ),
    "lagged": ("LaggedEffects", "lagged_effects", "nickell_bias"),
    "missing": ("PatternMixture", "pattern_mixture"),
    "proportions": ("Proportion", "wilson_interval"),
    "reliability": ("alpha", "item_rest", "omega"),
    "reliable_change": ("ReliableChange", "reliable_change"),
    "single_case": ("nonoverlap", "process_chart"),
    "time_to_change": ("TimeToChange", "interval_time_to_change", "time_to_change"),
    "within_person": ("change_reliability",),
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
