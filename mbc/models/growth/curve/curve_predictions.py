"""The courses that a fitted growth curve expects: of the mean, of a client, of a client known by a few scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import as_array
from mbc.models.growth.curve.curve_estimates import CurveEstimates
from mbc.models.growth.inference import prediction
from mbc.models.growth.inference.prediction import ClientCurve, Kind
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True)
class CurvePredictions(CurveEstimates):
    """The predictions of a growth model, each with a band."""

    @cached_property
    def _index(self) -> dict[object, int]:
        return {key: i for i, key in enumerate(self.client_ids.tolist())}

    @checked
    def predict_mean(
        self,
        times: ArrayLike,
        *,
        covariates: Mapping[str, object] | None = None,
        level: float = 0.8,
        kind: Kind = "mean",
    ) -> ClientCurve:
        """Predict the mean course, or with ``kind="prediction"`` where a new client's scores will lie.

        Parameters
        ----------
        times : array_like
            In the unit of the time column.
        covariates : mapping, optional
            Values of the client covariates; their average over clients by default.
        level : float
            Coverage of the band, between 0 and 1.
        kind : {"mean", "prediction"}
            Uncertainty of the mean course alone, or also between clients and of one score.
        """
        return self._population(None, prediction.as_times(times), covariates, level, kind)

    @checked
    def predict_client(
        self,
        client: object,
        times: ArrayLike,
        *,
        level: float = 0.8,
        kind: Kind = "prediction",
        new: bool = False,
        covariates: Mapping[str, object] | None = None,
    ) -> ClientCurve:
        """Predict one client's own course, with a band.

        Parameters
        ----------
        client : object
            Identifier as in the client column, of the same type.
        new : bool
            A client the model has not seen: the mean course with the spread between clients in its band
            (``observations`` is 0). Without it an identifier that is not in the model is refused.
        times : array_like
            In the unit of the time column.
        level : float
            Coverage of the band, between 0 and 1.
        kind : {"prediction", "mean"}
            ``"prediction"``: where a new score will lie: uncertainty of the coefficients and of the client's
            effects (jointly), and the residual. ``"mean"``: without the residual, where the course itself lies.
        covariates : mapping, optional
            Of a new client; averages over clients by default. A client of the model has its own.

        Raises
        ------
        ModelError
            If the client is not in the model and not said to be new, or the other way round; if a covariate or its
            level is not in the model.
        """
        at = prediction.as_times(times)
        self._require_converged()
        known = {} if new and self.n_designs is not None else self._index
        index = prediction.index_of(client, known, new=new)
        if index is None:
            return self._population(client, at, covariates, level, kind)
        if covariates:
            raise ModelError(
                f"client {client!r} is in the model with covariates of its own; covariates= is for a new client."
            )
        course = prediction.client_course(self.fitted, index, at)
        observations = round(float(self.fitted.sums.counts[index]))
        return prediction.curve(self.fitted, course, client, at, observations=observations, level=level, kind=kind)

    @checked
    def predict_scores(
        self,
        observed_times: ArrayLike,
        scores: ArrayLike,
        times: ArrayLike,
        *,
        level: float = 0.8,
        kind: Kind = "prediction",
        covariates: Mapping[str, object] | None = None,
    ) -> ClientCurve:
        """Predict the course of a client the model has not seen from the scores known so far.

        Parameters
        ----------
        observed_times, scores : array_like
            Times and values of the scores known so far.
        times : array_like
            Where to predict.
        level, kind, covariates
            As in `predict_client`.
        """
        at, score_times = prediction.as_times(times), prediction.as_times(observed_times)
        values = np.atleast_1d(as_array(scores, "scores"))
        if values.shape != score_times.shape or not np.isfinite(values).all():
            raise ModelError(
                f"scores must be finite and as many as observed_times ({score_times.size}), got {values.size}."
            )
        self._require_converged()
        row = prediction.covariate_row(self.fitted, covariates or {})
        course = prediction.scores_course(self.fitted, score_times, values, at, row)
        return prediction.curve(
            self.fitted, course, None, at, observations=score_times.size, level=level, kind=kind
        )

    def _population(
        self, client: object, times: Floats, covariates: Mapping[str, object] | None, level: float, kind: Kind
    ) -> ClientCurve:
        self._require_converged()
        row = prediction.covariate_row(self.fitted, covariates or {})
        between = client is not None or kind == "prediction"
        course = prediction.population_course(self.fitted, times, row, between=between)
        return prediction.curve(self.fitted, course, client, times, observations=0, level=level, kind=kind)
