"""Statistics: arrays and tidy frames in, frozen results out.

Every name here is loaded when first used, so that importing this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mbc.lazy import public_names

if TYPE_CHECKING:
    from mbc.models.change.groups.comparison import compare_methods as compare_methods
    from mbc.models.change.groups.comparison import group_outcomes as group_outcomes
    from mbc.models.change.groups.group_change import group_change as group_change
    from mbc.models.change.groups.group_change import group_difference as group_difference
    from mbc.models.change.groups.group_change import hageman_arrindell_rates as hageman_arrindell_rates
    from mbc.models.change.groups.outcome_rates import OutcomeRates as OutcomeRates
    from mbc.models.change.groups.outcome_rates import outcome_rates as outcome_rates
    from mbc.models.change.inputs.norms import Norms as Norms
    from mbc.models.change.inputs.proportions import Proportion as Proportion
    from mbc.models.change.inputs.proportions import wilson_interval as wilson_interval
    from mbc.models.change.inputs.tidy_frames import Pairs as Pairs
    from mbc.models.change.inputs.tidy_frames import pre_post_pairs as pre_post_pairs
    from mbc.models.change.occasions.all_sessions import TrueChangeCourse as TrueChangeCourse
    from mbc.models.change.occasions.all_sessions import true_change_course as true_change_course
    from mbc.models.change.occasions.learn_variation import score_variation as score_variation
    from mbc.models.change.occasions.repeated_testing import FirstReliableChange as FirstReliableChange
    from mbc.models.change.occasions.repeated_testing import familywise_error as familywise_error
    from mbc.models.change.occasions.repeated_testing import first_reliable_change as first_reliable_change
    from mbc.models.change.occasions.repeated_testing import many_to_one_critical as many_to_one_critical
    from mbc.models.change.occasions.trends import ReliableTrend as ReliableTrend
    from mbc.models.change.occasions.trends import mean_baseline_change as mean_baseline_change
    from mbc.models.change.occasions.trends import reliable_trend as reliable_trend
    from mbc.models.change.occasions.trends import within_person_sem as within_person_sem
    from mbc.models.change.occasions.variation import ScoreVariation as ScoreVariation
    from mbc.models.change.person.anchors import MeaningfulChange as MeaningfulChange
    from mbc.models.change.person.anchors import anchor_change as anchor_change
    from mbc.models.change.person.anchors import percentage_change as percentage_change
    from mbc.models.change.person.clinical_significance import ClinicalSignificance as ClinicalSignificance
    from mbc.models.change.person.clinical_significance import Cutoff as Cutoff
    from mbc.models.change.person.clinical_significance import clinical_significance as clinical_significance
    from mbc.models.change.person.clinical_significance import cutoff as cutoff
    from mbc.models.change.person.irt import GradedItem as GradedItem
    from mbc.models.change.person.irt import conditional_change as conditional_change
    from mbc.models.change.person.irt import irt_change as irt_change
    from mbc.models.change.person.irt import latent_scores as latent_scores
    from mbc.models.change.person.reliable_change import ReliableChange as ReliableChange
    from mbc.models.change.person.reliable_change import reliable_change as reliable_change
    from mbc.models.change.person.slopes import ClientSlopes as ClientSlopes
    from mbc.models.change.person.slopes import slopes_from_sums as slopes_from_sums
    from mbc.models.change.person.true_change import TrueChange as TrueChange
    from mbc.models.change.person.true_change import true_change as true_change
    from mbc.models.couples.actor_partner import ActorPartner as ActorPartner
    from mbc.models.couples.actor_partner import CommonFate as CommonFate
    from mbc.models.couples.actor_partner import actor_partner as actor_partner
    from mbc.models.couples.actor_partner import common_fate as common_fate
    from mbc.models.courses.describe import Courses as Courses
    from mbc.models.courses.describe import describe_courses as describe_courses
    from mbc.models.courses.gains import SuddenGains as SuddenGains
    from mbc.models.courses.one_course import Course as Course
    from mbc.models.courses.sudden import sudden_gains as sudden_gains
    from mbc.models.courses.sudden import sudden_losses as sudden_losses
    from mbc.models.dropout.attendance import AttendanceWeights as AttendanceWeights
    from mbc.models.dropout.attendance import attendance_weights as attendance_weights
    from mbc.models.dropout.imputation import DeltaImputation as DeltaImputation
    from mbc.models.dropout.imputation import delta_imputation as delta_imputation
    from mbc.models.dropout.pattern_mixture import PatternMixture as PatternMixture
    from mbc.models.dropout.pattern_mixture import pattern_mixture as pattern_mixture
    from mbc.models.dropout.rubin_rules import Pooled as Pooled
    from mbc.models.dropout.rubin_rules import pool_rubin as pool_rubin
    from mbc.models.dropout.sensitivity import DropoutSensitivity as DropoutSensitivity
    from mbc.models.dropout.sensitivity import dropout_sensitivity as dropout_sensitivity
    from mbc.models.effects.controlled_effect import benchmark_effect as benchmark_effect
    from mbc.models.effects.controlled_effect import controlled_effect_size as controlled_effect_size
    from mbc.models.effects.controlled_effect import controlled_from_moments as controlled_from_moments
    from mbc.models.effects.effect_size import EffectSize as EffectSize
    from mbc.models.effects.effect_size import Moments as Moments
    from mbc.models.effects.effect_size import effect_size as effect_size
    from mbc.models.effects.effect_size import effect_size_from_moments as effect_size_from_moments
    from mbc.models.effects.pooled_proportions import PooledProportion as PooledProportion
    from mbc.models.effects.pooled_proportions import pool_proportions as pool_proportions
    from mbc.models.effects.random_effects import PooledEffects as PooledEffects
    from mbc.models.effects.random_effects import pool_effects as pool_effects
    from mbc.models.forecast.expected_course import ExpectedCourse as ExpectedCourse
    from mbc.models.forecast.expected_course import Forecast as Forecast
    from mbc.models.forecast.expected_course import expected_course as expected_course
    from mbc.models.forecast.signals import Signal as Signal
    from mbc.models.forecast.validation.prospective import ProspectiveValidation as ProspectiveValidation
    from mbc.models.forecast.validation.prospective import prospective_validation as prospective_validation
    from mbc.models.growth.comparison.compare_models import ModelComparison as ModelComparison
    from mbc.models.growth.comparison.compare_models import compare as compare
    from mbc.models.growth.fit.fit_model import NotConverged as NotConverged
    from mbc.models.growth.growth_curve import GrowthCurve as GrowthCurve
    from mbc.models.growth.growth_curve import growth_curve as growth_curve
    from mbc.models.growth.inference.prediction import ClientCurve as ClientCurve
    from mbc.models.growth.statsmodels.mixedlm import mixedlm as mixedlm
    from mbc.models.growth.variants.paired import PairedGrowth as PairedGrowth
    from mbc.models.growth.variants.paired import paired_growth as paired_growth
    from mbc.models.growth.variants.residual_groups import GroupedResiduals as GroupedResiduals
    from mbc.models.growth.variants.residual_groups import residual_growth as residual_growth
    from mbc.models.growth.variants.serial import SerialGrowth as SerialGrowth
    from mbc.models.growth.variants.serial import serial_growth as serial_growth
    from mbc.models.growth.variants.student import RobustGrowth as RobustGrowth
    from mbc.models.growth.variants.student import robust_growth as robust_growth
    from mbc.models.growth.variants.therapists.therapist import therapist_growth as therapist_growth
    from mbc.models.growth.variants.therapists.therapist_result import TherapistGrowth as TherapistGrowth
    from mbc.models.individual.goals import goal_attainment as goal_attainment
    from mbc.models.individual.goals import goal_change as goal_change
    from mbc.models.individual.goals import goal_probability as goal_probability
    from mbc.models.individual.goals import goal_probability_by as goal_probability_by
    from mbc.models.individual.goals import goal_probability_on_curve as goal_probability_on_curve
    from mbc.models.individual.single_case import nonoverlap as nonoverlap
    from mbc.models.individual.single_case import process_chart as process_chart
    from mbc.models.lagged.effects import LaggedEffects as LaggedEffects
    from mbc.models.lagged.effects import lagged_effects as lagged_effects
    from mbc.models.lagged.effects import nickell_bias as nickell_bias
    from mbc.models.measurement.reliability import alpha as alpha
    from mbc.models.measurement.reliability import item_rest_correlations as item_rest_correlations
    from mbc.models.measurement.reliability import omega as omega
    from mbc.models.measurement.within_person import change_reliability as change_reliability
    from mbc.models.survival.time_to_change import TimeToChange as TimeToChange
    from mbc.models.survival.time_to_change import interval_time_to_change as interval_time_to_change
    from mbc.models.survival.time_to_change import time_to_change as time_to_change

# Module -> its public names, one line per module.
_MODULES = {
    "change.person.anchors": ("MeaningfulChange", "anchor_change", "percentage_change"),
    "change.groups.comparison": ("compare_methods", "group_outcomes"),
    "change.groups.group_change": ("group_change", "group_difference", "hageman_arrindell_rates"),
    "change.person.irt": ("GradedItem", "conditional_change", "irt_change", "latent_scores"),
    "change.inputs.tidy_frames": ("Pairs", "pre_post_pairs"),
    "change.occasions.all_sessions": ("TrueChangeCourse", "true_change_course"),
    "change.occasions.learn_variation": ("score_variation",),
    "change.occasions.variation": ("ScoreVariation",),
    "change.occasions.repeated_testing": (
        "FirstReliableChange",
        "familywise_error",
        "first_reliable_change",
        "many_to_one_critical",
    ),
    "change.inputs.norms": ("Norms",),
    "change.person.slopes": ("ClientSlopes", "slopes_from_sums"),
    "change.groups.outcome_rates": ("OutcomeRates", "outcome_rates"),
    "change.occasions.trends": ("ReliableTrend", "mean_baseline_change", "reliable_trend", "within_person_sem"),
    "change.person.true_change": ("TrueChange", "true_change"),
    "change.person.clinical_significance": ("ClinicalSignificance", "Cutoff", "clinical_significance", "cutoff"),
    "effects.controlled_effect": ("benchmark_effect", "controlled_effect_size", "controlled_from_moments"),
    "courses.describe": ("Courses", "describe_courses"),
    "courses.gains": ("SuddenGains",),
    "courses.one_course": ("Course",),
    "courses.sudden": ("sudden_gains", "sudden_losses"),
    "dropout.attendance": ("AttendanceWeights", "attendance_weights"),
    "dropout.imputation": ("DeltaImputation", "delta_imputation"),
    "dropout.rubin_rules": ("Pooled", "pool_rubin"),
    "dropout.sensitivity": ("DropoutSensitivity", "dropout_sensitivity"),
    "couples.actor_partner": ("ActorPartner", "CommonFate", "actor_partner", "common_fate"),
    "effects.effect_size": ("EffectSize", "Moments", "effect_size", "effect_size_from_moments"),
    "effects.pooled_proportions": ("PooledProportion", "pool_proportions"),
    "effects.random_effects": ("PooledEffects", "pool_effects"),
    "forecast.signals": ("Signal",),
    "forecast.validation.prospective": ("ProspectiveValidation", "prospective_validation"),
    "forecast.expected_course": ("ExpectedCourse", "Forecast", "expected_course"),
    "growth.comparison.compare_models": ("ModelComparison", "compare"),
    "growth.fit.fit_model": ("NotConverged",),
    "growth.growth_curve": ("GrowthCurve", "growth_curve"),
    "growth.statsmodels.mixedlm": ("mixedlm",),
    "growth.variants.paired": ("PairedGrowth", "paired_growth"),
    "growth.variants.serial": ("SerialGrowth", "serial_growth"),
    "growth.variants.student": ("RobustGrowth", "robust_growth"),
    "growth.variants.therapists.therapist": ("therapist_growth",),
    "growth.variants.therapists.therapist_result": ("TherapistGrowth",),
    "growth.variants.residual_groups": ("GroupedResiduals", "residual_growth"),
    "growth.inference.prediction": ("ClientCurve",),
    "individual.goals": (
        "goal_attainment",
        "goal_change",
        "goal_probability",
        "goal_probability_by",
        "goal_probability_on_curve",
    ),
    "lagged.effects": ("LaggedEffects", "lagged_effects", "nickell_bias"),
    "dropout.pattern_mixture": ("PatternMixture", "pattern_mixture"),
    "change.inputs.proportions": ("Proportion", "wilson_interval"),
    "measurement.reliability": ("alpha", "item_rest_correlations", "omega"),
    "change.person.reliable_change": ("ReliableChange", "reliable_change"),
    "individual.single_case": ("nonoverlap", "process_chart"),
    "survival.time_to_change": ("TimeToChange", "interval_time_to_change", "time_to_change"),
    "measurement.within_person": ("change_reliability",),
}

__getattr__, __dir__, _names = public_names(__name__, _MODULES)
__all__ = sorted(_names)  # noqa: PLE0605 - made from the map  # pyright: ignore[reportUnsupportedDunderAll]
