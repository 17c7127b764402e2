"""With few clients, which t or F distribution does a test of coefficients follow: Satterthwaite, Kenward-Roger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from mbc.errors import ModelError
from mbc.models.change.inputs.distributions import f_above, normal_below, normal_quantile, t_below, t_quantile
from mbc.models.growth.design.design import Design
from mbc.models.growth.fit.deviance import Evaluation
from mbc.models.growth.fit.estimates import Estimates
from mbc.models.growth.fit.information import curvature, directions, relative_information, second_sums, to_relative
from mbc.models.growth.inference.contrasts import contrasts_of
from mbc.models.growth.matrices import Floats
from mbc.models.results.result import Result

Method = Literal["satterthwaite", "kenward-roger", "normal"]


@dataclass(frozen=True, slots=True)
class CoefficientTest(Result):
    """One coefficient against zero."""

    name: str
    estimate: float
    standard_error: float
    df: float  # infinite for the normal
    statistic: float
    p_value: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class JointTest(Result):
    """Several linear combinations of coefficients against zero at once."""

    statistic: float  # F, scaled where the method scales it
    numerator_df: int
    denominator_df: float
    p_value: float


@dataclass(frozen=True, slots=True)
class SmallSample:
    """What both methods need, in the engine's own scale; contrasts come and go in reported coefficients.

    References
    ----------
    .. [1] Giesbrecht & Burns (1985), doi:10.2307/2530872; Kuznetsova et al. (2017), doi:10.18637/jss.v082.i13.
    .. [2] Kenward & Roger (1997), doi:10.2307/2533558; Halekoh & Hojsgaard (2014), doi:10.18637/jss.v059.i09.
    """

    design: Design
    covariance: Floats  # Phi = sigma^2 A^-1, (p, p)
    slopes: Floats  # change of Phi by (Psi, sigma^2), (k + 1, p, p)
    variance: Floats  # covariance of the estimated (Psi, sigma^2): observed information, (k + 1, k + 1)
    adjusted: Floats | None  # Kenward and Roger's covariance of the coefficients
    linear: Floats  # P_j = d (X'V^-1X) / d (G, sigma^2), (k + 1, p, p)
    linear_variance: Floats  # covariance of (G, sigma^2): expected information

    def satterthwaite(self, row: Floats) -> tuple[float, float]:
        """Variance of one combination of internal coefficients, and its degrees of freedom."""
        variance = float(row @ self.covariance @ row)
        slope = np.einsum("s,kst,t->k", row, self.slopes, row)
        spread = float(slope @ self.variance @ slope)
        return variance, 2 * variance**2 / spread if spread > 0 else np.inf

    def kenward_roger(self, rows: Floats) -> tuple[float, float]:
        """Scale and denominator degrees of freedom of the F test of some combinations."""
        count = len(rows)
        phi = self.covariance
        theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
        turned = np.einsum("ab,bc,kcd,de->kae", theta, phi, self.linear, phi)
        traces = np.einsum("kaa->k", turned)
        a1 = float(traces @ self.linear_variance @ traces)
        a2 = float(np.einsum("jk,jab,kba->", self.linear_variance, turned, turned))
        if count == 1 or a2 <= 0:
            return 1.0, 2 / a2 if a2 > 0 else np.inf
        b = (a1 + 6 * a2) / (2 * count)
        g = ((count + 1) * a1 - (count + 4) * a2) / ((count + 2) * a2)
        base = 3 * count + 2 * (1 - g)
        c1, c2, c3 = g / base, (count - g) / base, (count + 2 - g) / base
        expected = 1 / (1 - a2 / count)
        spread = 2 / count * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
        rho = spread / (2 * expected**2)
        df = 4 + (count + 2) / (count * rho - 1)
        return df / (expected * (df - 2)), df


def small_sample(design: Design, at: Evaluation, *, reml: bool, kenward_roger: bool) -> SmallSample:
    """Gather derivatives of the coefficients' covariance and the information on the variances."""
    if kenward_roger and not reml:
        raise ModelError("Kenward-Roger is defined for REML fits; refit with reml=True, or use 'satterthwaite'.")
    sums = second_sums(design.statistics, at)
    c = curvature(sums, at, directions(design), reml=reml)
    relative = relative_information(sums, c, design, at, reml=reml)
    s2 = at.sigma2
    slopes = np.concatenate([s2 * np.einsum("ab,kbc,cd->kad", at.inverse, c.fixed, at.inverse), at.inverse[None]])
    jacobian = to_relative(design, at)
    linear_variance = np.linalg.pinv(jacobian.T @ relative.expected @ jacobian, hermitian=True)
    linear = np.zeros_like(slopes)
    adjusted = None
    phi = s2 * at.inverse
    if kenward_roger:
        second, third, product = _powers(design, at)
        linear = -np.concatenate([c.fixed, second[None]]) / s2**2
        q = _products(product, third) / s2**3
        bias = np.einsum("jk,jkab->ab", linear_variance, q - np.einsum("jab,bc,kcd->jkad", linear, phi, linear))
        adjusted = phi + 2 * phi @ bias @ phi
    variance = np.linalg.pinv(relative.observed, hermitian=True, rcond=1e-12)
    return SmallSample(design, phi, slopes, variance, adjusted, linear, linear_variance)


@dataclass(frozen=True, slots=True)
class _Products:
    inner: Floats  # F'E_j Q E_k F, (k, k, p, p)
    outer: Floats  # F'E_j F2, (k, p, p)


def _products(product: _Products, third: Floats) -> Floats:
    """X'V^-1 V_j V^-1 V_k V^-1 X for all pairs of (G, sigma^2), times sigma^6; (k + 1, k + 1, p, p)."""
    k, p = len(product.outer), third.shape[0]
    out = np.empty((k + 1, k + 1, p, p))
    out[:k, :k] = product.inner
    out[:k, k] = product.outer
    out[k, :k] = product.outer.transpose(0, 2, 1)
    out[k, k] = third
    return out


def _powers(design: Design, at: Evaluation) -> tuple[Floats, Floats, _Products]:
    """Sum X'V^-2X, X'V^-3X and the products with Z over clients."""
    e = directions(design)
    p, count = design.statistics.p, len(e)
    second, third = np.linalg.inv(at.inverse), np.zeros((p, p))
    drop_second, drop_third = np.zeros((p, p)), np.zeros((p, p))
    inner, outer = np.zeros((count, count, p, p)), np.zeros((count, p, p))
    for block in design.statistics.blocks:
        k, precision = block.precision(at.factor)
        s, b = block.s, block.b[:, :p]
        kb = np.einsum("abn,bpn->apn", k, b)
        f = b - np.einsum("abn,bpn->apn", s, kb)
        f2 = f - np.einsum("abn,bcn,cpn->apn", s, k, f)
        drop_second += np.einsum("apn,asn->ps", kb, f)
        drop_third += np.einsum("apn,asn->ps", kb, f2)
        moved = np.einsum("kab,bpn->kapn", e, f)
        outer += np.einsum("kapn,asn->kps", moved, f2)
        between = np.einsum("abn,kbpn->kapn", precision, moved)
        inner += np.einsum("japn,kasn->jkps", moved, between)
    second = second - drop_second
    third = second - drop_third
    return second, third, _Products(inner, outer)


def coefficient_tests(
    design: Design, at: Evaluation, estimates: Estimates, *, method: Method, level: float
) -> tuple[CoefficientTest, ...]:
    """Test every coefficient against zero."""
    if method not in {"satterthwaite", "kenward-roger", "normal"}:
        raise ModelError(f"method must be 'satterthwaite', 'kenward-roger' or 'normal', got {method!r}.")
    p = len(design.x_names)
    errors, dfs = estimates.standard_errors, np.full(p, np.inf)
    if method != "normal":
        small = small_sample(design, at, reml=estimates.reml, kenward_roger=method == "kenward-roger")
        rows = design.x_back
        if small.adjusted is not None:
            errors = design.outcome_spread * np.sqrt(np.einsum("ij,jk,ik->i", rows, small.adjusted, rows))
            dfs = np.array([small.kenward_roger(row[None])[1] for row in rows])
        else:
            dfs = np.array([small.satterthwaite(row)[1] for row in rows])
    out: list[CoefficientTest] = []
    for name, estimate, error, df in zip(
        design.x_names, estimates.coefficients.tolist(), errors.tolist(), dfs.tolist(), strict=True
    ):
        half = (normal_quantile(0.5 + level / 2) if np.isinf(df) else t_quantile(df, 0.5 + level / 2)) * error
        far = -abs(estimate / error)
        p_value = 2 * float(normal_below(far) if np.isinf(df) else t_below(df, far))
        out.append(
            CoefficientTest(name, estimate, error, df, estimate / error, p_value, estimate - half, estimate + half)
        )
    return tuple(out)


def joint_test(
    design: Design,
    at: Evaluation,
    estimates: Estimates,
    contrasts: ArrayLike | str | Sequence[str],
    *,
    method: Method,
) -> JointTest:
    """Test contrasts of the reported coefficients: numbers, names or a formula, see `contrasts_of`."""
    read = contrasts_of(contrasts, design.x_names)
    rows = read.rows
    estimate = rows @ estimates.coefficients - read.values
    covariance, scale, df = rows @ estimates.covariance @ rows.T, 1.0, np.inf
    if method == "kenward-roger":
        small = small_sample(design, at, reml=estimates.reml, kenward_roger=True)
        inside = rows @ design.x_back
        assert small.adjusted is not None  # noqa: S101  asked for one line above
        covariance = design.outcome_spread**2 * (inside @ small.adjusted @ inside.T)
        scale, df = small.kenward_roger(inside)
    elif method == "satterthwaite":
        df = _joint_satterthwaite(design, at, covariance, rows, reml=estimates.reml)
    statistic = scale * float(estimate @ np.linalg.solve(covariance, estimate)) / len(rows)
    return JointTest(statistic, len(rows), df, f_above(len(rows), min(df, 1e12), statistic))


def _joint_satterthwaite(design: Design, at: Evaluation, covariance: Floats, rows: Floats, *, reml: bool) -> float:
    """Fai and Cornelius' approximation: independent one-row tests along the eigenvectors of the covariance."""
    small = small_sample(design, at, reml=reml, kenward_roger=False)
    _, vectors = np.linalg.eigh(covariance)
    dfs = np.array([small.satterthwaite(row)[1] for row in vectors.T @ rows @ design.x_back])
    if len(dfs) == 1:
        return float(dfs[0])
    if (np.abs(dfs - dfs[0]) < 1e-8).all():
        return float(dfs[0])
    expected = float((dfs[dfs > 2] / (dfs[dfs > 2] - 2)).sum())
    return 2 * expected / (expected - len(dfs)) if expected > len(dfs) else 2.0
