"""Can these rows separate the random effects from the residual at all."""

from __future__ import annotations

import math

import numpy as np

from mbc.errors import ModelError
from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation, evaluate
from mbc.models.growth.fit.optimiser import unit_changes
from mbc.models.growth.fit.residual_space import ResidualSpace
from mbc.models.growth.fit.starts import starting_factor
from mbc.models.growth.matrices import Floats, cholesky


def checked_start(design: Design, *, reml: bool) -> Evaluation:
    """Evaluate the deviance where a search begins; refuse the model if its variances cannot be distinguished."""
    start = evaluate(design.statistics, starting_factor(design), reml=reml)
    require_identified(design, start)
    return start


def require_identified(design: Design, start: Evaluation) -> None:
    """Refuse a model whose likelihood cannot separate its variances.

    The expected information of Psi, with sigma^2 profiled out, is singular exactly when some combination of
    variances leaves the distribution of the data unchanged (one score per client, for example).
    """
    statistics, names = design.statistics, ", ".join(design.z_names)
    clients, q = statistics.people, statistics.q
    if clients <= q:
        raise ModelError(
            f"{clients} client(s) cannot show how {q} effects ({names}) vary between clients; "
            f"at least {q + 1} are needed. Wait for more clients, or fit each client separately."
        )
    if statistics.rows <= statistics.p:
        raise ModelError(
            f"{statistics.rows} scores cannot fit {statistics.p} coefficients: {', '.join(design.x_names)}."
        )
    if not math.isfinite(start.deviance):
        raise ModelError(
            "the scores lie exactly on the curve: there is no residual variation. Is "
            "the outcome computed from time?"
        )
    units = unit_changes(q)
    if not _regular(units @ start.expected_curvature().reshape(q * q, q * q) @ units.T):
        most = (
            int(max(float(block.s[0, 0].max()) for block in statistics.blocks))
            if design.z_names[0] == "(Intercept)"
            else 0
        )
        remark = f" (no client has more than {most} scores)" if 0 < most <= q else ""
        raise ModelError(
            f"these rows cannot separate the variances of {names} from the residual{remark}. "
            "1. Take fewer random effects: random=('intercept',). 2. Wait until clients have more scores at "
            "different times. 3. With one score per client use a regression instead."
        )
    if statistics.rows <= q * clients + statistics.p and not ResidualSpace.of(statistics).spare:
        raise ModelError(
            f"{statistics.rows} scores of {clients} clients leave nothing for the residual: with {q} effects per "
            f"client ({names}), the clients' courses can pass through every score. "
            "1. Take fewer random effects: random=('intercept',). 2. Wait until clients have more scores."
        )


def _regular(information: Floats) -> bool:
    """Whether no combination of parameters is without information, beside what each has alone."""
    root, sizes = cholesky(information), information.diagonal().tolist()
    if root is not None:
        pivots = [pivot * pivot / size for pivot, size in zip(root.diagonal().tolist(), sizes, strict=True)]
        if math.prod(pivots) > 1e-6:  # the least eigenvalue is no smaller than this over a few
            return True
    scale = np.sqrt(np.abs(information.diagonal()))
    scale = np.where(scale > 0, scale, 1.0)
    values = np.linalg.eigvalsh(0.5 * (information + information.T) / scale / scale[:, None])
    return bool(values[0] > 1e-9 * len(values))
