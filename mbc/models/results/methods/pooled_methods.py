"""How results of several studies were pooled: sentences for methods sections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

_ESTIMATORS = {
    "reml": "restricted maximum likelihood [@viechtbauer2005]",
    "paule-mandel": "the method of Paule and Mandel [@paule1982]",
}
_INTERVALS = {
    "hartung-knapp": "the method of Hartung and Knapp [@hartung2001], never with less than the usual variance "
    "[@rover2015]",
    "hartung-knapp-unmodified": "the method of Hartung and Knapp [@hartung2001]",
    "normal": "the normal distribution",
}


def pooled_effects(result: Any) -> Iterator[str]:
    """Inverse-variance pooling."""
    if result.effects == "fixed":
        yield f"Effects of {len(result.studies)} studies were pooled as fixed effects by inverse variances."
    else:
        yield (
            f"Effects of {len(result.studies)} studies were pooled as random effects by inverse variances, with "
            f"the variance between studies from {_ESTIMATORS[result.estimator]} and limits by "
            f"{_INTERVALS[result.interval]}."
        )
    if result.prediction_lower is not None:
        yield "The prediction interval has k - 2 degrees of freedom [@higgins2009]."
    yield "I2 [@higgins2002] has limits from the Q profile [@viechtbauer2007]."


def pooled_proportion(result: Any) -> Iterator[str]:
    """Pooling of logits."""
    rounding = (
        ""
        if result.rounded_to == 1
        else f" from counts rounded to multiples of {result.rounded_to}, whose variances include the rounding "
        "error"
    )
    yield f"Proportions were pooled on the logit scale{rounding}."
    yield from pooled_effects(result.logits)


DESCRIPTIONS: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "PooledEffects": pooled_effects,
    "PooledProportion": pooled_proportion,
}
