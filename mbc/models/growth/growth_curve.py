"""How do clients change over time: a mean course, each client's own course, and how far apart they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mbc.arguments import checked
from mbc.models.growth.curve.curve import GrowthCurve
from mbc.models.growth.data.shapes import Piecewise, Shape, ShapeName, shape_of
from mbc.models.growth.data.source import RowSource, SumsPer, source_of
from mbc.models.growth.design.design import split_covariates
from mbc.models.growth.fit.shape_choice import Model, TriedShape, choose_shape, searched_knot


@checked
def growth_curve(  # noqa: PLR0913 - options are keyword-only
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    reml: bool = True,
    sums_per: SumsPer = "client",
) -> GrowthCurve:
    """Fit a growth curve to scores of many clients over time.

    Parameters
    ----------
    frame : table
        Long: one row per score. Any kind that narwhals knows.
    outcome, time, client : str
        Columns: the score, the time since intake (any unit), the client.
    shape : str or Shape
        ``"linear"``, ``"log"`` (log(1 + time)), ``"sqrt"``, ``"quadratic"``, ``"cubic"``, ``"piecewise"``,
        ``"spline"``; ``"auto"`` compares them by ML AIC (see
        `GrowthCurve.shapes_tried`); or one of the shapes of `mbc.models.growth.data.shapes` with knots or degree.
    covariates : sequence of str
        ``"severity"`` shifts the level of the course; ``"severity:time"`` changes its slope as well.
        Numbers enter as they are, text by its levels. The reference is the first level of a declared order (pandas
        Categorical, polars Enum) that occurs, else the first in sorted order; as in `mixedlm`.
    random : sequence of str
        What differs between clients: ``"intercept"``, ``"slope"`` (intercept and the shape's first term),
        ``"slopes"`` (intercept and all terms); or terms by name. ``("no intercept", "slope")`` leaves the
        intercept out.
    reml : bool
        Restricted maximum likelihood; False for maximum likelihood (comparing shapes or covariates).
    sums_per : {"client", "design"}
        What is brought together of the rows: the sums of each client, or those of each design (clients with the
        same times and the same values of the covariates), for registries of more clients than memory should hold.
        The estimates are the same; no client's own effects or course can be had of sums per design. It helps where
        times are shared (whole weeks, the number of the occasion) and covariates have few values: see
        `GrowthCurve.n_designs`. An engine groups the rows; polars does for a table in memory.

    Returns
    -------
    GrowthCurve

    Raises
    ------
    FrameError
        If a column is absent or does not contain numbers.
    ModelError
        If the model cannot be estimated from these rows (one score per client, time that never varies, ...), or
        there are more than a million designs.

    Notes
    -----
    Standard errors are those of lme4: the root of sigma^2 (X'V^-1X)^-1, with the variances taken as known
    (`mixedlm` has them as ``bse_gls``). For few clients see `GrowthCurve.tests`.

    Of the n clients of one design, who have one Z'Z and one Z'X, the likelihood needs n, ``sum Z'y`` and
    ``sum (Z'y)(Z'y)'``, and of all rows ``sum y^2``: it is quadratic in Z'[X y] at given Z'Z.

    References
    ----------
    .. [1] Laird & Ware (1982), doi:10.2307/2529876: random-effects models for longitudinal data.
    .. [2] Bates, Maechler, Bolker & Walker (2015), doi:10.18637/jss.v067.i01: the profiled deviance.

    Examples
    --------
    >>> import polars as pl
    >>> scores = pl.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4],
    ...     "week": [0, 2, 6, 0, 3, 5, 0, 1, 6, 0, 2, 4],
    ...     "score": [21, 18, 12, 17, 16, 15, 25, 20, 16, 14, 9, 9],
    ... })
    >>> columns = {"outcome": "score", "time": "week", "client": "client"}
    >>> fit = growth_curve(scores, **columns, shape="linear", random="intercept")
    >>> [(c.name, round(c.estimate, 2)) for c in fit.coefficients]
    [('(Intercept)', 18.78), ('week', -1.15)]
    >>> fit.predict_client(2, [8]).mean.round(1).tolist()
    [9.9]
    """
    covariates = [covariates] if isinstance(covariates, str) else list(covariates)
    model = Model(time, covariates, [random] if isinstance(random, str) else list(random))
    names = [name for name, _ in split_covariates(covariates)]
    wanted = None if shape == "auto" else shape_of(shape)
    source = source_of(frame, outcome=outcome, time=time, client=client, covariates=names, per=sums_per)
    tried: tuple[TriedShape, ...] = ()
    if wanted is None:
        wanted, tried = choose_shape(source, model)
    elif isinstance(wanted, Piecewise) and not wanted.knots:
        wanted = searched_knot(source, model).sums.basis.shape
    rows = frame if isinstance(source, RowSource) else None
    return GrowthCurve(outcome, time, client, model.fit(source, wanted, reml=reml), tried, rows)
