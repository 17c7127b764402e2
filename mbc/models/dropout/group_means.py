"""Where a fitted model puts the mean of a group, what delta adds to it, and how surely."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray
from mbc.models.dropout.clients import BoolArray, IntArray
from mbc.models.dropout.endings import Endings
from mbc.models.dropout.sentences import Question
from mbc.models.dropout.sources import Source
from mbc.models.growth.matrices import Floats

Estimand = Literal["course", "scores"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupMean:
    """One group's mean, what each client adds to its error, and each client's exposure to delta."""

    name: str
    inside: BoolArray
    exposure: FloatArray  # (clients)
    mean: float
    own: FloatArray  # influence on the mean through the client's own score, (clients)
    slope: Floats  # derivative of the mean with respect to the coefficients, (p,)


class Means:
    """What the model says of everybody on the list; lives no longer than one call."""

    def __init__(self, source: Source, people: Endings, question: Question, estimand: Estimand) -> None:
        self.source, self.people, self.estimand = source, people, estimand
        self.times = (question.at,) if question.measure == "score" else (question.at, question.start)
        place = people.places_in(source.ids)
        self._require_same(place)
        fitted = place >= 0
        self.coefficients, self.covariance = source.estimates
        self.influence = np.zeros((len(self.coefficients), len(people.ids)))
        self.influence[:, fitted] = source.influence()[:, place[fitted]]
        if estimand == "scores":
            self.expected, self.slopes = source.expected(question.at, people, place)

    def _require_same(self, place: IntArray) -> None:
        n_fitted = int((place >= 0).sum())
        if n_fitted < len(self.source.ids):
            raise ModelError(
                f"the model has {len(self.source.ids)} clients, of whom {n_fitted} are in this table. "
                "Give the table that was fitted."
            )

    def group(self, name: str, given: dict[str, object], inside: BoolArray, exposure: FloatArray) -> GroupMean:
        """Mean of one group."""
        if self.estimand == "scores":
            lacking = np.isnan(self.people.score)
            scores = np.where(lacking, self.expected, self.people.score)
            mean = float(scores[inside].mean())
            slope = self.slopes[:, inside & lacking].sum(axis=1) / inside.sum()
            return GroupMean(name, inside, exposure, mean, np.where(inside, scores - mean, 0.0), slope)
        rows = [self.source.mean_row(time, given) for time in self.times]
        slope = rows[0] if len(rows) == 1 else rows[0] - rows[1]
        return GroupMean(name, inside, exposure, float(self.coefficients @ slope), np.zeros(len(inside)), slope)

    def contrast(self, groups: list[GroupMean]) -> tuple[float, float, tuple[float, float, float]]:
        """Mean, or first less second: at delta 0, per point of delta, and the variance as a quadratic in delta."""
        signs = (1.0, -1.0)[: len(groups)]
        if len(groups) == 2 and self.estimand == "course" and np.array_equal(groups[0].slope, groups[1].slope):
            raise ModelError(
                "this model gives both groups the same mean regardless of the data: let the group change the "
                "course (covariates=('group:time',), or a product with time in the formula)."
            )
        estimate = sum(sign * group.mean for sign, group in zip(signs, groups, strict=True))
        share = sum(
            sign * float(group.exposure[group.inside].mean()) for sign, group in zip(signs, groups, strict=True)
        )
        slope = sum((sign * group.slope for sign, group in zip(signs, groups, strict=True)), np.zeros(1))
        through = slope @ self.influence
        small = np.ones(len(through))  # n / (n - 1) of the group
        own, added = np.zeros(len(through)), np.zeros(len(through))
        for sign, group in zip(signs, groups, strict=True):
            n = int(group.inside.sum())
            small[group.inside] = n / max(n - 1, 1)
            own += sign * group.own / n
            centred = group.exposure - float(group.exposure[group.inside].mean())
            added += np.where(group.inside, sign * centred / n, 0.0)
        score = own + through
        v2 = float((small * added * added).sum())
        if self.estimand == "scores":
            return (
                estimate,
                share,
                (float((small * score * score).sum()), float((small * score * added).sum()), v2),
            )
        # The model's own variance; the correlation with the exposure from the clients' influences.
        v0 = float(slope @ self.covariance @ slope)
        size = math.sqrt(float(score @ score) * float(added @ added))
        alike = float(score @ added) / size if size > 0 else 0.0
        return estimate, share, (v0, alike * math.sqrt(v0 * v2), v2)
