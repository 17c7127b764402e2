"""How we measure your progress, on the client's own device: worded when they are asked, shown after sending."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from mbc.arguments import join_choices
from mbc.box.content import ExplainedMeasure, Explanation
from mbc.care.client.trajectory import Cohort
from mbc.care.course.charted_scales import in_reading_order, scales_to_chart
from mbc.care.plan.client_plan import client_plan
from mbc.errors import ReportError
from mbc.reports.catalogue import Catalogue, catalogue, languages
from mbc.reports.measures_sheet import AskedMeasure, MeasureFacts, may_print, measure_facts, sentences
from mbc.store import PlannedMeasure, Store


def measures_explanation(
    store: Store,
    client_id: str,
    keys: Iterable[str],
    *,
    language: str = "en",
    cohort: Cohort | None = None,
    as_of: dt.date | None = None,
) -> Explanation:
    """Word how progress is measured by what a client is asked now.

    The sentences and limits are those of `measures_report`. No score, answer or verdict is among them.
    Relationship scales, the alliance and screens of the safety channel are left out: the partner may look on.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
    keys : iterable of str
        The questionnaires that are asked; goals are none.
    language : str
        Of the asking; "de-AT" is explained in "de".
    cohort : CohortModels, optional
        For measurement error where none is published; see `mbc.care.client_trajectory`.
    as_of : date, optional
        The day of the asking; today when not given.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    ReportError
        If there are no words in that language.
    """
    words = _words(language)
    today = as_of or dt.date.today()  # noqa: DTZ011 - the calendar day where the clinic is
    asked = _asked(store, client_id, keys, today)
    facts = [measure_facts(each, words, cohort, today) for each in asked]
    return Explanation(
        title=words.text("measures.title"),
        paragraphs=(words.text("measures.why"),),
        heading=words.text("measures.what") if facts else "",
        measures=tuple(_explained(each, words) for each in facts),
        note=words.text("measures.not_all") if facts else "",
        sections=tuple((words.text(key), sentences(key, words)) for key in ("measures.sure", "measures.yours")),
    )


def _words(language: str) -> Catalogue:
    main = language.split("-", maxsplit=1)[0]
    if main not in languages():
        raise ReportError(
            f"How progress is measured can be explained in {join_choices(sorted(languages()))}, not in "
            f"'{language}'. Send the questions without the explanation."
        )
    return catalogue(main)


def _asked(store: Store, client_id: str, keys: Iterable[str], today: dt.date) -> list[AskedMeasure]:
    with store.snapshot():
        store.clients(client_id=client_id)
        plan = client_plan(store, client_id, as_of=today)
        rows = store.planned_measures(client_id=client_id).iter_rows(named=True)
        planned = {row["instrument"]: PlannedMeasure(**row) for row in rows}
    return [
        AskedMeasure(
            measure,
            scales_to_chart(measure),
            planned.get(measure.key),
            None if plan is None else plan.of(measure.key),
        )
        for measure in in_reading_order(keys)  # without screens of the safety channel
        if may_print(measure, ())
    ]


def _explained(facts: MeasureFacts, words: Catalogue) -> ExplainedMeasure:
    labelled = (("questions", facts.questions), ("often", facts.often), ("clear", facts.clear))
    return ExplainedMeasure(
        name=facts.name, facts=tuple((words.text(f"measures.{key}"), text) for key, text in labelled if text)
    )
