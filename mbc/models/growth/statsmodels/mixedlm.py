"""The mixed model of statsmodels, fast: its formula, its results object, our optimum and our standard errors.

It uses parts of statsmodels that are not public; the tests check it against the released version.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from mbc.arguments import checked
from mbc.models.growth.statsmodels.model import FastMixedLM


@checked
def mixedlm(  # noqa: PLR0913  the arguments of statsmodels, in its order
    formula: str,
    data: Any,
    re_formula: str | None = None,
    vc_formula: Mapping[str, str] | None = None,
    subset: Any = None,
    use_sparse: bool = False,  # noqa: ARG001, FBT001, FBT002  statsmodels' signature; nothing here is sparse
    missing: str = "none",
    *,
    groups: Any,
    reml: bool = True,
    **options: Any,
) -> Any:
    """Fit a linear mixed model by formula; fast, and right where statsmodels is not.

    Parameters
    ----------
    formula : str
        Fixed effects, such as ``"score ~ week * severity"``.
    data : table
        Any kind that narwhals knows.
    re_formula : str, optional
        Random effects, such as ``"~ week"``; a random intercept by default.
    vc_formula : mapping, optional
        Independent variance components of one column each, such as ``{"week": "0 + week"}``.
    subset, use_sparse, missing
        As in statsmodels.
    groups : str or array_like
        Column of the clients, or one label per row.
    reml : bool
        Restricted maximum likelihood; False for maximum likelihood.
    **options
        ``eval_env`` of statsmodels (names that the formula may use), and options of its ``fit`` (``free``).

    Returns
    -------
    statsmodels.regression.mixed_linear_model.MixedLMResultsWrapper
        Fitted already; ``.fit()``, as statsmodels' users write it, gives the same. With all its methods:
        ``summary``, ``conf_int``, ``wald_test``, ``t_test``, ``predict`` (with ``of="client"`` for known clients),
        ``random_effects``. In addition ``report`` (the fit's log), ``singular``, ``random_effects_frame``,
        ``joint_test``, ``simulate``, ``to_frame``, ``methods_text`` and ``bibtex``.

    Raises
    ------
    ModelError
        For what is not taken over, by name: ``vc_formula`` of several columns, penalties, ``profile_re``,
        collinear columns; and for data that cannot separate the variances.

    Notes
    -----
    ``bse_gls`` holds the standard errors of lme4 and `growth_curve`: the root of sigma^2 (X'V^-1X)^-1, with the
    variances taken as known. ``bse_fe`` are statsmodels', from the joint Hessian of coefficients and covariances:
    larger, in simulations by a median of 0.2 % with a hundred clients, 5 % with eight (a quarter in one of ten).

    The reference level of a text column is the first of its declared order (pandas Categorical, polars Enum) that
    occurs, else the first in sorted order; as in `growth_curve`.

    Examples
    --------
    >>> import pandas as pd
    >>> scores = pd.DataFrame({
    ...     "client": [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4],
    ...     "week": [0, 2, 6, 0, 3, 5, 0, 1, 6, 0, 2, 4],
    ...     "score": [21, 18, 12, 17, 16, 15, 25, 20, 16, 14, 9, 9],
    ... })
    >>> result = mixedlm("score ~ week", scores, groups="client")
    >>> result.fe_params.round(2).to_dict()
    {'Intercept': 18.78, 'week': -1.15}
    """
    caller = sys._getframe(2)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  a formula may use the caller's names, as in statsmodels
    environment = options.pop("eval_env", None)
    if not isinstance(environment, Mapping):
        environment = {} if environment == -1 else {**caller.f_globals, **caller.f_locals}
    model = FastMixedLM.from_formula(
        formula,
        data,
        re_formula=re_formula,
        vc_formula=vc_formula,
        subset=subset,
        missing=missing,
        groups=groups,
        eval_env=environment,
    )
    return model.fit(reml=reml, **options)
