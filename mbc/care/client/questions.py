"""What may be worth asking in the next session, each question with its reason.

Questions ask; they never advise to stay or to leave, and none is built on the safety channel.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from mbc.care.values.course import Change, Mark, Trajectory
from mbc.care.values.review import ClientState, Completeness, GoalProgress, Question
from mbc.care.words import count, day, sentence, span

MOST = 3
_RECENT_DAYS = 35  # events of the last five weeks are recent
_UNRATED_DAYS = 56  # a goal without a rating for eight weeks
_MISSED = 2


def suggest(
    state: ClientState,
    trajectories: Sequence[Trajectory],
    goals: Sequence[GoalProgress],
    completeness: Sequence[Completeness],
    as_of: dt.date,
) -> tuple[Question, ...]:
    """Give at most three questions, the most important first."""
    candidates = [
        *_off_track(state),
        *_clearly_worse(trajectories, as_of),
        *_recent_events(trajectories, as_of),
        *_since_last_time(trajectories, as_of),
        *_lost(trajectories, as_of),
        *_goals(goals, as_of),
        *_missed_questionnaires(completeness),
        *_lasting_improvement(trajectories, as_of),
    ]
    chosen: list[Question] = []
    for question in candidates:
        if question.text not in {other.text for other in chosen}:
            chosen.append(question)
    return tuple(chosen[:MOST])


def _off_track(state: ClientState) -> Iterator[Question]:
    if state.state == "not on track":
        yield Question(
            "Are we working on what matters most to you?",
            sentence(state.reasons[0]),
        )


def _on(when: dt.date, as_of: dt.date) -> str:
    """Write a day; its year only where that is not the present one."""
    return day(when, year=when.year != as_of.year)


def _since_last_time(trajectories: Sequence[Trajectory], as_of: dt.date) -> Iterator[Question]:
    for course in trajectories:
        last = course.current.since_last if course.current else None
        if last is None or last.verdict not in {"clearly better", "clearly worse"}:
            continue
        text = f"What was different between {_on(last.before_on, as_of)} and {_on(last.after_on, as_of)}?"
        yield Question(text, sentence(f"{course.measure}: {_moved(last)}"))


def _moved(change: Change) -> str:
    return change.words.removesuffix(", a clear change")


def _recent_events(trajectories: Sequence[Trajectory], as_of: dt.date) -> Iterator[Question]:
    marks: dict[tuple[dt.date, str], Mark] = {
        (mark.on, mark.label): mark for course in trajectories for mark in course.marks if mark.kind == "event"
    }
    recent = [mark for mark in marks.values() if 0 <= (as_of - mark.on).days <= _RECENT_DAYS]
    asks = {
        "growth": "What made this step possible?",
        "hard": "How have you been since?",
    }
    for mark in sorted(recent, key=lambda mark: mark.on, reverse=True):
        if mark.valence in asks:
            yield Question(asks[mark.valence], sentence(f"{mark.words}, {_on(mark.on, as_of)}"))


def _clearly_worse(trajectories: Sequence[Trajectory], as_of: dt.date) -> Iterator[Question]:
    for course in trajectories:
        live = course.current
        if live is None or live.since_baseline is None or live.verdict != "clearly worse":
            continue
        since = live.judgement.since
        reason = f"{course.measure} clearly worse" + (f" since {_on(since, as_of)}" if since else "")
        yield Question("What has been hardest lately?", sentence(reason))


def _lost(trajectories: Sequence[Trajectory], as_of: dt.date) -> Iterator[Question]:
    for course in trajectories:
        best = course.current.judgement.last_better if course.current else None
        if course.current is None or best is None or course.current.verdict != "no clear change":
            continue
        yield Question(
            "What helped when this was going better?",
            sentence(f"{course.measure} clearly better on {_on(best, as_of)}, now no clear change"),
        )


def _goals(goals: Sequence[GoalProgress], as_of: dt.date) -> Iterator[Question]:
    reached = [goal for goal in goals if goal.retired_on is None and goal.reached]
    if len(reached) > 1:
        yield Question(f"{len(reached)} goals are reached: what comes next?", "According to their latest ratings.")
    for goal in goals:
        if goal.retired_on is not None or (goal.reached and len(reached) > 1):
            continue
        last = goal.ratings[-1][0] if goal.ratings else goal.set_on
        if goal.reached:
            yield Question(f"'{goal.label}': what comes next?", "The goal is reached.")
        elif goal.scale is None and (as_of - last).days >= _UNRATED_DAYS:
            reason = f"No rating for {span((as_of - last).days)}"
            yield Question(f"'{goal.label}': is it still the right goal?", sentence(reason))
        elif (goal.movement or 0) < 0:
            yield Question(f"'{goal.label}': what gets in the way?", "Its rating is worse.")


def _missed_questionnaires(completeness: Sequence[Completeness]) -> Iterator[Question]:
    for questionnaire in completeness:
        if questionnaire.applicable and questionnaire.missed >= _MISSED:
            reason = f"{questionnaire.name} was missed about {count(questionnaire.missed, 'time')}"
            yield Question("Do the questionnaires and their timing suit you?", sentence(reason))


def _lasting_improvement(trajectories: Sequence[Trajectory], as_of: dt.date) -> Iterator[Question]:
    for course in trajectories:
        live = course.current
        if live is None or live.since_baseline is None or live.judgement.since is None:
            continue
        if live.verdict == "clearly better":
            reason = f"{course.measure} clearly better since {_on(live.judgement.since, as_of)}"
            yield Question("What do you do differently now?", sentence(reason))
