"""How much do therapists matter: growth of clients within therapists, or across them where clients change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mbc.arguments import checked
from mbc.errors import ModelError
from mbc.models.growth.data.client_sums import Basis, sums_about
from mbc.models.growth.data.rows import Rows
from mbc.models.growth.data.shapes import Shape, ShapeName, shape_of
from mbc.models.growth.design.design import Expansion, expanded, random_columns, split_covariates, terms_of
from mbc.models.growth.design.statistics import block_slices, joined
from mbc.models.growth.fit.fit_model import warn_unless_converged
from mbc.models.growth.inference.model_parts import Effects, parts_of_rows
from mbc.models.growth.variants.residual_groups import eager_rows
from mbc.models.growth.variants.therapists.therapist_identification import require_separable
from mbc.models.growth.variants.therapists.therapist_levels import Links, Problem
from mbc.models.growth.variants.therapists.therapist_result import TherapistGrowth, client_effects, result_of
from mbc.models.growth.variants.therapists.therapist_search import search


@checked
def therapist_growth(  # noqa: PLR0913  growth_curve's arguments and two more
    frame: Any,
    *,
    outcome: str,
    time: str,
    client: str,
    therapist: str,
    shape: ShapeName | Shape = "log",
    covariates: Sequence[str] = (),
    random: Sequence[str] = ("intercept", "slope"),
    therapist_random: Sequence[str] = ("intercept",),
    reml: bool = True,
) -> TherapistGrowth:
    """Fit a growth curve with random effects of clients and of their therapists.

    Parameters
    ----------
    frame, outcome, time, client, shape, covariates, random, reml
        As in `growth_curve`.
    therapist : str
        Column of the therapist who gave each session; a client may change therapist.
    therapist_random : sequence of str
        ``("intercept",)``, or ``("intercept", "slope")``: therapists differ in their clients' rate of change.

    References
    ----------
    .. [1] Baldwin & Imel (2013), Therapist effects, in Bergin and Garfield's Handbook, 6th ed.
    """
    names = [name for name, _ in split_covariates(covariates)]
    rows = eager_rows(frame, outcome=outcome, time=time, client=client, covariates=names, labels=[therapist])
    basis = Basis.about(shape_of(shape).placed(rows.quantiles), rows.time)
    centre, spread = float(rows.outcome.mean()), float(rows.outcome.std())
    sums = sums_about(rows, basis, centre, spread)
    time_names = ("intercept", *basis.shape.terms(time))
    client_columns, therapist_columns = (
        random_columns(random, time_names),
        random_columns(therapist_random, time_names),
    )
    if client_columns[: len(therapist_columns)] != therapist_columns or therapist_columns[0] != 0:
        raise ModelError(
            f"therapist_random ({', '.join(therapist_random)}) must start with 'intercept' and be part of "
            f"random ({', '.join(random)}): what differs between therapists must differ between clients."
        )
    terms = terms_of(sums, time, covariates)
    design, expansion = expanded(sums, terms, client_columns)
    labels = rows.labels[therapist]
    if len(labels.levels) < 3:
        raise ModelError(
            f"column {therapist!r} names {len(labels.levels)} therapists; a variance between therapists needs "
            "at least 3 (and is uncertain below 20). Use the therapist as a covariate instead."
        )
    links = _links(rows, therapist, basis, (centre, spread), expansion, len(therapist_columns))
    problem = Problem(design, links, reml)
    require_separable(
        rows, therapist, expansion.rows(basis.columns(rows.time), rows.codes), len(therapist_columns)
    )
    theta, report = search(problem)
    warn_unless_converged(report, "therapist_growth")
    result = result_of(problem, theta, report, labels.levels, names_of=(design.x_names, design.z_names))
    effects = (
        Effects(client, rows.ids.tolist(), client_effects(result, problem, theta), result.client_covariance),
        Effects(therapist, labels.levels, result.means, result.therapist_covariance),
    )
    parts = parts_of_rows(
        rows,
        sums,
        terms,
        design,
        effects,
        names=(outcome, time),
        coefficients=design.least_squares - problem.level(theta).gamma[:-1],
        residual_variance=result.residual_variance,
        table=frame,
    )
    return replace(result, _parts_of_fit=parts)


def _links(
    rows: Rows, therapist: str, basis: Basis, scaling: tuple[float, float], expansion: Expansion, r: int
) -> Links:
    """Sum each client's rows by therapist."""
    labels = rows.labels[therapist]
    count = len(labels.levels)
    cell_ids, cells = np.unique(rows.codes * count + labels.codes, return_inverse=True)
    client, who = cell_ids // count, cell_ids % count
    split = rows.by_cells(np.asarray(cells, dtype=np.intp), client)
    sums = sums_about(split, basis, *scaling)
    parts = [expansion.at_clients(client).arrays(sums, part) for part in block_slices(client.size)]
    s, b = joined(s for s, _ in parts), joined(b for _, b in parts)
    first = np.flatnonzero(client[1:] == client[:-1])  # cells are sorted by client
    pairs: list[tuple[int, int]] = []
    for at in first.tolist():
        other = at + 1
        while other < client.size and client[other] == client[at]:
            pairs += [(at, other), (other, at)]
            other += 1
    return Links(s[:r], b[:r], client, who, np.array(pairs, dtype=np.intp).reshape(-1, 2).T, count)
