"""One client on one scale over time: scores with noise band, cutoff, goals, events and expected course."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from mbc.care.course.captions import caption, summary
from mbc.care.course.client_record import INFORMANT, ClientRecord, marks_of, read_record
from mbc.care.course.noise import short_source
from mbc.care.course.segments import gap_days, gaps, split
from mbc.care.course.shape import shaped
from mbc.care.course.verdicts import judged
from mbc.care.forecast.clinic_models import CohortModels, noise_for
from mbc.care.forecast.curves import expected_from_intake, forecast_ahead, outlook_words, whose
from mbc.care.forecast.learned_model import CohortModel
from mbc.care.forecast.signals import NoOutlook, outlooks
from mbc.care.values.course import CourseCurve, CutoffLine, GoalLine, Segment, Trajectory
from mbc.care.words import number, sentence
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import Instrument, Scale
from mbc.instruments import instrument as load
from mbc.instruments.short_names import short_name
from mbc.store import Store

Cohort = CohortModel | CohortModels
_CARE_ENDED = "Care has ended."


@with_definitions_of_record
def client_trajectory(
    store: Store,
    client_id: str,
    instrument_key: str,
    scale: str | None = None,
    *,
    cohort: Cohort | None = None,
) -> Trajectory:
    """Follow one client on one scale.

    Parameters
    ----------
    store : Store
        The record, or the part of it that one user may see.
    client_id : str
        Pseudonymous id.
    instrument_key : str
        ``"rses"``, ``"csi16"`` ...
    scale : str, optional
        A scale of that instrument; its main scale when not given.
    cohort : CohortModel or CohortModels, optional
        Models of the clinic's records, fitted once and reused: with it the trajectory has the course expected
        from intake and the forecast, and a noise band also on scales for which no reliability is published.

    Returns
    -------
    Trajectory
        Empty, with a caption that says so, when the client never answered the questionnaire.

    Raises
    ------
    NotInRecord
        If there is no such client for this user.
    UnknownInstrument, DefinitionError
        If the catalogue has no such instrument, or the instrument no such scale.
    """
    instrument = load(instrument_key)
    record = read_record(store, client_id, instrument=instrument_key)
    return trajectory_of(record, instrument, instrument.scale(scale), cohort=cohort)


def trajectory_of(
    record: ClientRecord, instrument: Instrument, scale: Scale, *, cohort: Cohort | None = None
) -> Trajectory:
    """Follow one client, already read, on one scale."""
    occasions = record.of(instrument.key, scale.key)
    noise = noise_for(cohort, instrument, scale)
    segments, set_aside = split(occasions, instrument, scale, record.timeline, noise)
    segments = judged(segments, scale, noise, sessions_needed=True)
    past = record.before(instrument.key, scale.key)
    longest = gap_days(occasions)
    window = record.window
    course = Trajectory(
        client_id=record.client_id,
        instrument=instrument.key,
        name=instrument.name,
        construct=instrument.construct,
        scale=scale.key,
        title=chart_title(instrument, scale),
        range=scale.range,
        higher_is_better=scale.higher_is_better,
        decimals=scale.decimals,
        informant=INFORMANT,
        segments=tuple(shaped(segment, scale, noise) for segment in segments),
        cutoffs=_cutoffs(instrument, scale),
        goals=_goal_lines(record, instrument, scale),
        marks=marks_of(record),
        not_applicable=() if window is None else record.timeline.not_applicable(instrument, *window),
        gaps=gaps(segments, longest),
        gap_days=longest,
        curves=(),
        curve_note="",
        sessions=record.session_days,
        summary="",
        caption="",
        relationships=record.timeline.labels,
        set_aside=set_aside,
        window=window,
        earlier=split(past, instrument, scale, record.timeline, noise)[0],
    )
    course = _with_model(course, instrument, scale, cohort)
    if record.closed is not None:
        course = replace(course, forecast=None, outlook="", on_track="insufficient data", no_forecast=_CARE_ENDED)
    return replace(course, summary=summary(course), caption=caption(course))


def _with_model(course: Trajectory, instrument: Instrument, scale: Scale, cohort: Cohort | None) -> Trajectory:
    """Add the course expected from intake, and where the segment that is still open is heading; or say why not."""
    if not isinstance(cohort, CohortModels):
        reason = "No expected course was requested."
        return replace(course, curve_note=reason, no_forecast=reason)
    model = cohort.course(instrument, scale)
    if isinstance(model, NoOutlook):
        return replace(course, curve_note=model.reason, no_forecast=model.reason)
    live = course.current
    signal = None if live is None else outlooks(model, [live])[0]
    fan = None if live is None or signal is None else forecast_ahead(signal.forecast, live, scale)
    curves = [
        curve
        for segment in course.segments
        if (curve := expected_from_intake(model, segment, scale, _until(segment, fan))) is not None
    ]
    note = "" if curves else "The model has no course for a first score like this."
    course = replace(course, curves=tuple(curves), curve_note=note, forecast=fan)
    if signal is None:
        return replace(course, no_forecast="No scores are due on this scale now.")
    if signal.state == "insufficient data":
        return replace(course, no_forecast=signal.reason)
    asked = outlook_words(signal)
    parts = [f"Forecast: {signal.state}{', ' + asked if asked else ''}", _likely(course, fan)]
    parts.append(f"Learned from {whose(model, cohort.made_on(instrument, scale))}")
    return replace(course, outlook=" ".join(sentence(part) for part in parts if part), on_track=signal.state)


def _until(segment: Segment, fan: CourseCurve | None) -> dt.date:
    """Give the day up to which a segment's expected course is drawn: as far as its forecast, if there is one."""
    if fan is not None and fan.target == segment.target:
        return fan.dates[-1]
    return segment.ended_on or segment.occasions[-1].taken_on


def _likely(course: Trajectory, fan: CourseCurve | None) -> str:
    if fan is None:
        return ""
    about, low, high = (number(values[-1], min(course.decimals, 1)) for values in (fan.mean, fan.lower, fan.upper))
    return f"Likely score at the end of care: {about} ({low} to {high}, in {fan.level:.0%} of cases)"


def chart_title(instrument: Instrument, scale: Scale) -> str:
    """Name a chart: what is measured, and with what.

    Examples
    --------
    >>> from mbc.instruments import instrument
    >>> rses = instrument("rses")
    >>> chart_title(rses, rses.main_scale)
    'Self-esteem: RSES'
    """
    return f"{scale.title}: {short_name(instrument.key)}"


def _cutoffs(instrument: Instrument, scale: Scale) -> tuple[CutoffLine, ...]:
    line = scale.cutoff
    if line is None:
        return ()
    source = short_source(instrument, line.source)
    return (CutoffLine(line.value, line.side, line.label, source, line.confidence),)


def _goal_lines(record: ClientRecord, instrument: Instrument, scale: Scale) -> tuple[GoalLine, ...]:
    """Goals set on this scale's own points; goals rated 0 to 10 have a panel of their own."""
    names = {f"{instrument.key}.{scale.key}"}
    if scale is instrument.main_scale:
        names.add(instrument.key)
    lines: list[GoalLine] = []
    for row in record.goals.iter_rows(named=True):
        over = row["retired_on"] is not None and record.since is not None and row["retired_on"] < record.since
        if row["scale"] in names and row["target"] is not None and not over:
            lines.append(
                GoalLine(row["goal_id"], row["label"] or "", row["target"], row["set_on"], row["retired_on"])
            )
    return tuple(lines)
