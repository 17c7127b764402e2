"""How fast is each client changing, and how surely."""

from __future__ import annotations

import numpy as np

from mbc.errors import ModelError
from mbc.models.change.person.slopes import ClientSlopes
from mbc.models.growth.fit.fit_model import Fitted
from mbc.models.growth.inference.model_parts import NO_CLIENTS
from mbc.models.growth.matrices import Floats


def client_slopes(fitted: Fitted) -> ClientSlopes:
    """Find each client's coefficient of the shape's first term, with its standard error.

    Notes
    -----
    ``own`` is the random part, with its conditional standard deviation. ``total`` adds the fixed slope (and its
    products with the client's covariates); its error is that of ``a'beta + e'b``:
    ``d' Var(beta) d + sigma^2 e'K e``, ``d = a - X'Z K e``.

    Raises
    ------
    ModelError
        If the slope is not random in this model.
    """
    design, at = fitted.design, fitted.optimum
    if fitted.sums.stands_for is not None:
        raise ModelError(NO_CLIENTS)
    if 1 not in fitted.random:
        raise ModelError("this model gives every client the same slope; fit with random=('intercept', 'slope').")
    unit = design.z_back[fitted.random.index(1)]
    scale, sigma2 = design.outcome_spread, at.sigma2
    beta = design.least_squares - at.gamma[:-1]
    parts: list[Floats] = []
    start = 0
    for block in design.statistics.blocks:
        k = block.conditional(at.factor)
        ke = np.einsum("abn,b->an", k, unit)
        along = _slope_rows(fitted, slice(start, start + block.clients))
        b = block.b
        own = np.einsum("an,amn,m->n", ke, b, at.gamma)
        own_variance = unit @ ke
        d = along - np.einsum("an,apn->pn", ke, b[:, :-1])
        total_variance = own_variance + (d * (at.inverse @ d)).sum(axis=0)
        parts.append(np.array([beta @ along + own, total_variance, own, own_variance]))
        start += block.clients
    total, total_variance, own, own_variance = np.concatenate(parts, axis=1)
    return ClientSlopes(
        total=np.asarray(scale * total, dtype=np.float64),
        total_error=np.asarray(scale * np.sqrt(sigma2 * total_variance), dtype=np.float64),
        own=np.asarray(scale * own, dtype=np.float64),
        own_error=np.asarray(scale * np.sqrt(np.maximum(sigma2 * own_variance, 0.0)), dtype=np.float64),
        client_ids=fitted.sums.ids.astype(object),
    )


def _slope_rows(fitted: Fitted, part: slice) -> Floats:
    """Build the combination of internal coefficients that is each client's slope, (p, clients)."""
    clients: int = part.stop - part.start
    kept: list[Floats] = []
    for pair, name in zip(fitted.terms.pairs, fitted.terms.names, strict=True):
        if name not in fitted.design.x_names:
            continue
        time, covariate = pair
        if time != 1:
            kept.append(np.zeros(clients))
        elif covariate == 0:
            kept.append(np.ones(clients))
        else:
            column = fitted.terms.covariates[covariate - 1]
            kept.append(column.raw(fitted.sums.covariates[column.source][part]))
    return fitted.design.x_back.T @ np.array(kept)
