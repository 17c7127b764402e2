"""Draw questionnaires of a twin: item answers first, then the scores that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from mbc.care.cohort.deidentified import SELF
from mbc.care.cohort.twin.draw_people import Person, Visit, table
from mbc.care.cohort.twin.fit_cohort import CohortFit, QuestionnaireFit
from mbc.care.cohort.twin.fit_scores import ScaleFit, known_instrument
from mbc.care.cohort.twin.growth_summary import time_of
from mbc.care.cohort.twin.item_structure import draw_items
from mbc.care.cohort.twin.pooled import values_of
from mbc.instruments import Instrument, Scale, score_stated
from mbc.simulate.questionnaires.item_answers import write_as
from mbc.simulate.streams import Stream

Floats = npt.NDArray[np.float64]
_OCCASION = ("study_id", "day", "episode", "since_intake", "session_number", "target", "informant")


@dataclass(frozen=True, slots=True)
class Latent:
    """Where each person stands on each scale, and how each visit departs from it."""

    lines: Floats  # people x scales x 2
    rest: Floats  # visits x scales, standard normal
    first: dict[str, int]  # study id -> number of the first visit


@dataclass(frozen=True, slots=True)
class Occasions:
    """When a questionnaire is answered: one entry per administration."""

    person: npt.NDArray[np.int64]
    visit: npt.NDArray[np.int64]
    rows: list[dict[str, object]]  # columns that all tables share

    @property
    def days(self) -> Floats:
        """Days since intake."""
        return np.array([float(str(row["day"])) for row in self.rows])


def draw_latent(fit: CohortFit, people: Sequence[Person], seed: int) -> Latent:
    """Draw everybody's courses."""
    stream, scales = Stream(seed, "twin", "courses"), fit.scales.scales
    visits = sum(len(person.visits) for person in people)
    if not scales:
        return Latent(np.zeros((len(people), 0, 2)), np.zeros((visits, 0)), {})
    chance = stream.normal(len(people), 2 * len(scales)) @ np.linalg.cholesky(fit.scales.lines).T
    spread = np.concatenate([np.sqrt(np.diag(each.growth.covariance)) for each in scales])
    mean = np.concatenate([each.growth.mean for each in scales])
    lines = (mean + chance * spread).reshape(len(people), len(scales), 2)
    rest = stream.normal(visits, len(scales)) @ np.linalg.cholesky(fit.scales.residuals).T
    first: dict[str, int] = {}
    number = 0
    for person in people:
        first[person.study_id] = number
        number += len(person.visits)
    return Latent(lines, rest, first)


def draw_questionnaire(
    fit: CohortFit, number: int, people: Sequence[Person], latent: Latent, seed: int
) -> tuple[pl.DataFrame | None, list[dict[str, object]]]:
    """Draw one questionnaire of everybody who answers it.

    Returns
    -------
    tuple of DataFrame or None, and list of dict
        Item answers, where the cohort has any; rows of scores.
    """
    questionnaire = fit.questionnaires[number]
    definition = known_instrument(questionnaire.key)
    stream = Stream(seed, "twin", questionnaire.key, questionnaire.informant, str(questionnaire.rated))
    occasions = _occasions(fit, number, people, latent, stream)
    name = (questionnaire.key, questionnaire.informant, questionnaire.rated)
    scales = [(place, each) for place, each in enumerate(fit.scales.scales) if each.questionnaire == name]
    if definition is None or not occasions.rows or not scales:
        return None, []
    if scales[0][1].items is None:
        return None, [
            row
            for place, each in scales
            for row in _scores_alone(each, place, occasions, latent, definition, stream)
        ]
    answers = np.full((len(occasions.rows), len(definition.items)), np.nan)
    columns = {item.id: column for column, item in enumerate(definition.items)}
    for place, each in scales:
        if each.items is not None:
            scale = definition.scale(each.scale)
            factor = _factor(each, place, occasions, latent)
            drawn = draw_items(each.items, factor, definition, scale, stream)
            answers[:, [columns[item] for item in each.items.items]] = drawn
    return _written(answers, questionnaire, occasions, definition, fit, stream)


def _occasions(fit: CohortFit, number: int, people: Sequence[Person], latent: Latent, stream: Stream) -> Occasions:
    questionnaire = fit.questionnaires[number]
    persons: list[int] = []
    visits: list[int] = []
    rows: list[dict[str, object]] = []
    for index, person in enumerate(people):
        if number not in person.battery or not person.visits:
            continue
        for at in _answered_visits(person.visits, questionnaire, stream):
            visit = person.visits[at]
            target = person.rates(visit.day) if questionnaire.rated else SELF
            if target is None:
                continue
            persons.append(index)
            visits.append(latent.first.get(person.study_id, 0) + at)
            rows.append(
                {
                    "study_id": person.study_id,
                    "day": visit.day,
                    "episode": 1,
                    "since_intake": visit.day,
                    "session_number": visit.number if fit.has_numbers else None,
                    "target": target,
                    "informant": questionnaire.informant,
                }
            )
    return Occasions(np.array(persons, dtype=np.int64), np.array(visits, dtype=np.int64), rows)


def _answered_visits(visits: Sequence[Visit], questionnaire: QuestionnaireFit, stream: Stream) -> list[int]:
    """Choose the visits nearest to the days that the gaps give."""
    days = np.array([visit.day for visit in visits])
    wanted = float(questionnaire.first.draw(stream, 1)[0])
    gaps = iter(questionnaire.gaps.draw(stream, len(visits), float(days[-1]) + 1))
    chosen: list[int] = []
    at = int(np.abs(days - wanted).argmin())
    while True:
        chosen.append(at)
        wanted = float(days[at]) + max(1.0, next(gaps, float("inf")))
        later = np.arange(at + 1, days.size)
        if not later.size or wanted > days[-1] + (days[-1] - days[-2]) / 2:
            return chosen
        at = int(later[np.abs(days[later] - wanted).argmin()])


def _line(place: int, occasions: Occasions, latent: Latent) -> Floats:
    own = latent.lines[occasions.person, place]
    return own[:, 0] + own[:, 1] * time_of(occasions.days)


def _factor(fit: ScaleFit, place: int, occasions: Occasions, latent: Latent) -> Floats:
    """Put a person's course on the factor's scale: the items add the rest of the residual variance themselves."""
    growth, structure = fit.growth, fit.items
    reliability = 1.0 if structure is None else structure.reliability
    own = max(growth.residual**2 - (1 - reliability) * growth.score_sd**2, 0.02 * growth.score_sd**2)
    score = _line(place, occasions, latent) + np.sqrt(own) * latent.rest[occasions.visit, place]
    return (score - growth.score_mean) / (growth.score_sd * np.sqrt(reliability))


def _written(
    answers: Floats,
    questionnaire: QuestionnaireFit,
    occasions: Occasions,
    definition: Instrument,
    fit: CohortFit,
    stream: Stream,
) -> tuple[pl.DataFrame, list[dict[str, object]]]:
    """Write answers in the form and coding of each person, and score them."""
    default = (definition.form().key, definition.coding().key)
    own = questionnaire.forms.draw(stream, int(occasions.person.max()) + 1, default)
    used: dict[object, list[int]] = {}
    for row, person in enumerate(occasions.person):
        used.setdefault(own[person], []).append(row)
    schema = fit.schemas[f"items_{definition.key}"]
    tables: list[pl.DataFrame] = []
    scores: list[dict[str, object]] = []
    for pair, rows in used.items():
        form, coding = (str(key or other) for key, other in zip(values_of(pair) or default, default, strict=True))
        given = write_as(definition, answers[rows], form, coding)
        columns = definition.item_columns(form)
        shared = [occasions.rows[row] | {"form": form, "coding": coding} for row in rows]
        cells = [[None if np.isnan(answer) else int(answer) for answer in line] for line in given]
        lines = [
            values | dict(zip(columns, line, strict=True)) for values, line in zip(shared, cells, strict=True)
        ]
        frame = table(lines, schema)
        tables.append(frame)
        scores += _score_rows(frame, definition, form, coding, questionnaire.scales)
    return pl.concat(tables), scores


def _score_rows(
    frame: pl.DataFrame, definition: Instrument, form: str, coding: str, scales: Sequence[str]
) -> list[dict[str, object]]:
    scored = score_stated(frame, definition, form=form, coding=coding)
    rows: list[dict[str, object]] = []
    for key in scales:
        name, size = f"{definition.key}_{key}", len(definition.scale(key).items)
        shared: list[dict[str, Any]] = [
            {column: row[column] for column in _OCCASION}
            | {
                "instrument": definition.key,
                "scale": key,
                "score": row[name],
                "answered": row[f"{name}_answered"],
                "items": size,
                "prorated": bool(row.get(f"{name}_prorated")),
            }
            for row in scored.iter_rows(named=True)
        ]
        rows += shared
    return rows


def _scores_alone(
    fit: ScaleFit, place: int, occasions: Occasions, latent: Latent, definition: Instrument, stream: Stream
) -> list[dict[str, object]]:
    """Draw scores of a questionnaire whose items the cohort does not have: possible values, inside the range."""
    scale = definition.scale(fit.scale)
    step = _step(scale)
    score = _line(place, occasions, latent) + fit.growth.residual * latent.rest[occasions.visit, place]
    low, high = scale.range
    score: Floats = np.minimum(np.maximum(np.round((score - low) / step) * step + low, low), high)
    complete = (len(scale.items), False, True)
    rows: list[dict[str, object]] = []
    for number, kind in enumerate(fit.answered.draw(stream, score.size, complete)):
        answered, prorated, has_score = values_of(kind) or complete
        rows.append(
            occasions.rows[number]
            | {
                "instrument": definition.key,
                "scale": scale.key,
                "score": float(score[number]) if has_score else None,
                "answered": answered,
                "items": None if answered is None else len(scale.items),
                "prorated": prorated,
            }
        )
    return rows


def _step(scale: Scale) -> float:
    """Give the distance between neighbouring scores."""
    if scale.rule in ("mean", "scaled_mean"):
        return scale.factor / max(len(scale.items), 1)
    return scale.factor if scale.rule == "scaled_sum" else 1.0
