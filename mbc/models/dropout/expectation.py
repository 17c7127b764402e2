"""Which growth model says what unseen scores were expected to be, of whom, and in which groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mbc.errors import ModelError
from mbc.models.dropout.clients import BoolArray, Clients, read_clients
from mbc.models.growth.data.shapes import Shape, ShapeName
from mbc.models.growth.growth_curve import GrowthCurve, growth_curve


@dataclass(frozen=True, slots=True)
class Growth:
    """The growth model that says what unseen scores were expected to be."""

    shape: ShapeName | Shape
    covariates: tuple[str, ...]
    random: tuple[str, ...]
    reml: bool


def growth_model(
    covariates: Sequence[str] | None,
    group: str | None,
    shape: ShapeName | Shape,
    random: Sequence[str],
    *,
    reml: bool,
) -> Growth:
    """Make the model; the group is a covariate unless others are named."""
    named = (() if group is None else (group,)) if covariates is None else tuple(covariates)
    return Growth(shape, named, (random,) if isinstance(random, str) else tuple(random), reml)


def read_model_clients(
    data: object, columns: tuple[str, str, str], at: float | None, others: Sequence[str | None], model: Growth
) -> Clients:
    """Read the clients with every column of theirs that the model or the question needs."""
    sources = [name.partition(":")[0].strip() for name in model.covariates]
    needed = list(dict.fromkeys([name for name in others if name is not None] + sources))
    clients = read_clients(data, client=columns[0], time=columns[1], score=columns[2], at=at, others=needed)
    if clients.score.size > 1 and not np.ptp(clients.score) > 0:
        raise ModelError(f"every score is {clients.score[0]:g}: there is no variation to model.")
    return clients


def fit_growth(rows: pl.DataFrame, columns: tuple[str, str, str], model: Growth) -> GrowthCurve:
    """Fit the model to rows with a score."""
    return growth_curve(
        rows,
        client=columns[0],
        time=columns[1],
        outcome=columns[2],
        shape=model.shape,
        covariates=model.covariates,
        random=model.random,
        reml=model.reml,
    )


def arms_of(clients: Clients, group: str | None, active: object) -> list[tuple[str, BoolArray]]:
    """Name the groups, the active one first, and mark their clients."""
    if group is None:
        return [("all", np.ones(clients.people.height, dtype=bool))]
    values = clients.people[group]
    kinds = values.unique().sort().to_list()
    if len(kinds) != 2:
        raise ModelError(f"Column '{group}' must contain two groups, got {', '.join(map(str, kinds[:6]))}.")
    if active not in kinds:
        raise ModelError(f"active must be one of the groups ({kinds[0]}, {kinds[1]}), got {active!r}.")
    other = next(kind for kind in kinds if kind != active)
    return [(str(kind), np.asarray((values == kind).to_numpy(), dtype=bool)) for kind in (active, other)]
