"""A synthetic twin: the tables of a cohort with nobody in them, for teaching and for writing analyses."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mbc.care.cohort.deidentified import Cohort
from mbc.care.cohort.twin.draw_people import draw_events, draw_goals, draw_people, table
from mbc.care.cohort.twin.draw_scores import draw_latent, draw_questionnaire
from mbc.care.cohort.twin.fit_cohort import CohortFit, fit_cohort
from mbc.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Twin:
    """A twin and what it was drawn from."""

    cohort: Cohort
    fit: CohortFit
    seed: int


def synthetic_twin(cohort: Cohort, *, seed: int = 1) -> Twin:
    """Draw a cohort of as many people who do not exist, with the columns, types and statistics of a cohort.

    Nothing of a person enters: the twin is drawn from frequencies, distributions, growth summaries, correlations
    and item structures that rest on at least k people each, where k is the cohort's own (5 or more). Rarer values
    are pooled or left out. Study ids begin with S.

    Parameters
    ----------
    cohort : Cohort
        From `mbc.care.deidentified_cohort` or read from its folder; at least 40 people, and 8 k.
    seed : int
        The same cohort and seed give the same twin; >= 0.

    Returns
    -------
    Twin
        `Twin.cohort` has the tables; measure them with `mbc.care.cohort.twin.twin_quality`.

    Raises
    ------
    SettingsError
        If there are too few people, or the seed is negative.
    """
    if seed < 0:
        raise SettingsError(f"seed must be 0 or above, got {seed}.")
    fit = fit_cohort(cohort)
    return Twin(draw_cohort(fit, seed), fit, seed)


def draw_cohort(fit: CohortFit, seed: int) -> Cohort:
    """Draw the tables of a fit."""
    people = draw_people(fit, seed, fit.people)
    latent = draw_latent(fit, people, seed)
    items: dict[str, list[pl.DataFrame]] = {}
    scores: list[dict[str, object]] = []
    for number, questionnaire in enumerate(fit.questionnaires):
        answers, scored = draw_questionnaire(fit, number, people, latent, seed)
        scores += scored
        if answers is not None:
            items.setdefault(questionnaire.key, []).append(answers)
    schemas = fit.schemas
    sessions: list[dict[str, object]] = [
        {
            "study_id": person.study_id, "day": visit.day, "episode": 1, "since_intake": visit.day,
            "number": visit.number, "attended": visit.attended, "modality": visit.modality,
        }
        for person in people
        for visit in person.visits
    ]  # fmt: skip
    statuses: list[dict[str, object]] = [
        {"study_id": person.study_id, "day": day, "target": target, "status": status}
        for person in people
        for day, target, status in person.statuses
        if status is not None
    ]
    return Cohort(
        people=table([{"study_id": person.study_id, **person.row} for person in people], schemas["people"]),
        scores=table(scores, schemas["scores"]),
        items={
            name.removeprefix("items_"): _joined(items.get(name.removeprefix("items_"), []), schema)
            for name, schema in schemas.items()
            if name.startswith("items_")
        },
        sessions=table(sessions if fit.has_sessions else [], schemas["sessions"]),
        relationships=table(statuses, schemas["relationships"]),
        goals=table(draw_goals(fit, people, seed), schemas["goals"]),
        events=table(draw_events(fit, people, seed), schemas["events"]),
        smallest=fit.smallest,
        withheld=fit.withheld,
    )


def _joined(frames: list[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(frames).sort(pl.all()) if frames else pl.DataFrame(schema=schema)
