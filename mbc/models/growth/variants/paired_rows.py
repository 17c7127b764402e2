"""Two outcomes for the rows of a table: predictions, residuals and draws of a bivariate growth model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mbc.models.growth.inference.model_parts import (
    GivenRows,
    ModelParts,
    Of,
    complete_rows,
    fitted_columns,
    predicted_rows,
)
from mbc.models.growth.matrices import Floats


@dataclass(frozen=True, slots=True)
class PairedParts:
    """The parts of both outcomes' models, over the same clients."""

    models: tuple[ModelParts, ModelParts]
    random_covariance: Floats  # of all effects, the first outcome's before the second's
    residual_covariance: Floats  # (2, 2)

    def without_rows(self) -> PairedParts:
        """Leave out the table: for copies and files."""
        first, second = (model.without_rows() for model in self.models)
        return replace(self, models=(first, second))

    def rows_of(self, frame: Any) -> GivenRows:
        """Open the given table, or that of the fit."""
        return GivenRows.of_fit(self.models, frame)

    def predicted(self, rows: GivenRows, of: Of) -> dict[str, Floats]:
        """Predict both outcomes, by name."""
        return {model.outcome: predicted_rows(model, rows, of) for model in self.models}

    def residuals(self, rows: GivenRows, of: Of) -> dict[str, Floats]:
        """Each outcome less its prediction."""
        return {name: rows.outcome(name) - values for name, values in self.predicted(rows, of).items()}

    def fitted_columns(self, rows: GivenRows, residual_covariance: Floats) -> dict[str, Any]:
        """Give what was observed of each outcome and what the model expects there, one outcome after the other."""
        out: dict[str, Any] = {"measure": []}
        deviations: list[float] = np.sqrt(residual_covariance.diagonal()).tolist()
        for model, deviation in zip(self.models, deviations, strict=True):
            columns = fitted_columns(model, rows)
            columns["standardised"] = columns["residual"] / deviation
            for name, values in complete_rows(columns).items():
                out[name] = out.get(name, []) + values
            out["measure"] += [model.outcome] * (len(out["outcome"]) - len(out["measure"]))
        return out

    def draws(self, rows: GivenRows, seed: int) -> dict[str, Floats]:
        """Draw both outcomes: effects of each client, and residuals of one session, correlated."""
        rng = np.random.default_rng(seed)
        first = self.models[0]
        time, units = rows.times(first), rows.units(first.client)
        effects = rng.multivariate_normal(
            np.zeros(len(self.random_covariance)), self.random_covariance, size=int(units.max(initial=-1)) + 1
        )
        noise = rng.multivariate_normal(np.zeros(2), self.residual_covariance, size=time.size)
        split = first.effects[0].means.shape[1]
        mean = self.predicted(rows, "population")
        parts = (effects[:, :split], effects[:, split:])
        return {
            model.outcome: mean[model.outcome] + model.random_part(time, own[units]) + noise[:, place]
            for place, (model, own) in enumerate(zip(self.models, parts, strict=True))
        }
