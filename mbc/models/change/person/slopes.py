"""How fast each client changes by a growth model, and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.change.inputs.score_arrays import FloatArray, as_numbers, number_column
from mbc.models.change.person.predictions import Prediction
from mbc.models.results.result import Result

Reference = Literal["zero", "sample"]


@dataclass(frozen=True, slots=True, eq=False)
class ClientSlopes(Result):
    """Each client's slope, in scale points per unit of time, with standard errors.

    ``total`` is fixed + random: the client's own course. ``own`` is the random part alone: the client against the
    sample's average course.
    """

    total: FloatArray
    total_error: (
        FloatArray  # includes the uncertainty of the average slope and its covariance with the random part
    )
    own: FloatArray
    own_error: FloatArray  # conditional standard deviation
    client_ids: NDArray[np.object_] | None = None

    def _columns(self) -> dict[str, Any]:
        """One row per client: client (where known), total, total_error, own, own_error."""
        client = {} if self.client_ids is None else {"client": self.client_ids.tolist()}
        names = ("total", "total_error", "own", "own_error")
        return {**client, **{name: number_column(getattr(self, name)) for name in names}}


class HasClientSlopes(Protocol):
    """A fitted growth model that knows its clients' slopes."""

    def client_slopes(self) -> ClientSlopes: ...  # noqa: D102


@checked
def slopes_from_sums(
    sums: ArrayLike,
    *,
    fixed: tuple[float, float],
    fixed_covariance: ArrayLike,
    random_covariance: ArrayLike,
    residual_variance: float,
) -> ClientSlopes:
    """Compute every client's slope from the variances of a random-slope model and the client's sums.

    Parameters
    ----------
    sums : array_like, shape (n, 5)
        Per client: number of scores, sum of times, sum of squared times, sum of ``y - X beta``, sum of its product
        with time.
    fixed : (float, float)
        Average intercept and slope.
    fixed_covariance, random_covariance : array_like, shape (2, 2)
        Of the estimated averages, and of the clients' deviations from them.
    residual_variance : float
        Squared scale points; > 0.

    Notes
    -----
    With ``M = Z'V^-1 Z`` and ``K = G M`` the deviation is ``u = G Z'V^-1 r``, its conditional covariance
    ``C = G - G M G``, and the error of fixed + random is ``C + (I - K) Phi (I - K)'`` (Henderson, 1975,
    doi:10.2307/2529430).
    """
    if not residual_variance > 0:
        raise ModelError(f"residual_variance must be > 0, got {residual_variance:g}.")
    table = as_numbers(sums, "sums", dimensions=(2,)) / residual_variance
    if table.shape[1] != 5:
        raise ModelError(f"sums must have five columns, one row per client; got shape {table.shape}.")
    z, r = table[:, [0, 1, 1, 2]].reshape(-1, 2, 2), table[:, 3:]
    g = as_numbers(random_covariance, "random_covariance", dimensions=(2,))
    phi = as_numbers(fixed_covariance, "fixed_covariance", dimensions=(2,))
    if g.shape != (2, 2) or phi.shape != (2, 2):
        raise ModelError(f"both covariances must be 2 by 2, got {g.shape} and {phi.shape}.")
    # (I + S G)^-1 S = Z'V^-1 Z without inverting G, which may be singular.
    inverse = np.linalg.inv(np.eye(2) + z @ g)
    m = inverse @ z
    u = np.einsum("ij,njk,nk->ni", g, inverse, r)
    conditional = g - g @ m @ g
    rest = np.eye(2) - g @ m
    total = conditional + rest @ phi @ rest.transpose(0, 2, 1)
    return ClientSlopes(
        total=fixed[1] + u[:, 1],
        total_error=np.sqrt(np.maximum(total[:, 1, 1], 0.0)),
        own=u[:, 1],
        own_error=np.sqrt(np.maximum(conditional[:, 1, 1], 0.0)),
    )


def client_slopes_of(growth: ClientSlopes | HasClientSlopes) -> ClientSlopes:
    """Give the slopes of a fitted growth model.

    Raises
    ------
    ModelError
        If the model cannot say its clients' slopes.
    """
    if isinstance(growth, ClientSlopes):
        return growth
    if not callable(getattr(growth, "client_slopes", None)):
        raise ModelError(
            f"growth must be ClientSlopes or a fitted growth model, got {type(growth).__name__}. "
            "Pass models.growth_curve(...), or ClientSlopes(total=, total_error=, own=, own_error=)."
        )
    return growth.client_slopes()


def slope_prediction(
    growth: ClientSlopes | HasClientSlopes, reference: Reference
) -> tuple[FloatArray, Prediction]:
    """Give the slopes and the flat course they are judged against.

    Raises
    ------
    ModelError
        If the model cannot say its clients' slopes, or ``reference`` is unknown.
    """
    if reference not in {"zero", "sample"}:
        raise ModelError(f"reference must be 'zero' (no change) or 'sample' (the average), got {reference!r}.")
    growth = client_slopes_of(growth)
    slope, error = (growth.total, growth.total_error) if reference == "zero" else (growth.own, growth.own_error)
    flat = np.zeros_like(slope)
    reason = None if np.all(error > 0) else "zero_variance"
    return np.asarray(slope, dtype=float), Prediction(flat, np.asarray(error, dtype=float), reason=reason)
