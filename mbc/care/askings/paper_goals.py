"""A sheet of a client's goals for paper: each in its words and on its own levels, under one code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from mbc.box.content import Choice, Question, Sheet
from mbc.box.token import letters_of, typed_letters
from mbc.care.askings.goals import instructions_of, own_goals, require_goals, words_of
from mbc.care.client.goals import ATTAINMENT, GOAL_BASED, rating_range
from mbc.errors import MbcError
from mbc.store import Goal, Store

MOST_GOALS = 9  # of a client on paper: with every set of goals and of their levels, 19 682 codes to compare
_ATTAINMENT_WORDS = {
    "en": ("much less than expected", "less than expected", "as expected", "more than expected",
           "much more than expected"),
    "de": ("viel weniger als erwartet", "weniger als erwartet", "wie erwartet", "mehr als erwartet",
           "viel mehr als erwartet"),
    "es": ("mucho menos de lo esperado", "menos de lo esperado", "lo esperado", "más de lo esperado",
           "mucho más de lo esperado"),
    "fr": ("beaucoup moins que prévu", "moins que prévu", "comme prévu", "plus que prévu",
           "beaucoup plus que prévu"),
    "nl": ("veel minder dan verwacht", "minder dan verwacht", "zoals verwacht", "meer dan verwacht",
           "veel meer dan verwacht"),
}  # fmt: skip
_Levels = tuple[float, float]


class GoalsOnSheet(NamedTuple):
    """What the code of a sheet of goals stands for."""

    goals: tuple[Goal, ...]  # in the order of the sheet, as they are on record now, retired ones too
    other_levels: tuple[Goal, ...]  # of these, those that were printed on levels that they no longer have


def goals_on_paper(goals: Sequence[Goal]) -> list[Goal]:
    """Give the goals that can be printed: those that are current and that no questionnaire rates.

    Parameters
    ----------
    goals : sequence of Goal
        All of one client's, as `mbc.care.askings.goals.own_goals` gives them.
    """
    return [goal for goal in goals if goal.retired_on is None]


def goals_code(client_id: str, levels: Sequence[tuple[str, _Levels]]) -> str:
    """Make the code of a sheet of goals: six letters that fit one client, these goals and their levels.

    Parameters
    ----------
    client_id : str
    levels : sequence of (str, (float, float))
        Number of each goal, and the levels on which it is rated; in any order.

    Examples
    --------
    >>> code = goals_code("C001", [("G-1", (0.0, 10.0)), ("G-2", (-2.0, 2.0))])
    >>> code, code == goals_code("C001", [("G-1", (0.0, 10.0)), ("G-2", (0.0, 10.0))])
    ('KHY-Z9C', False)
    """
    listed = "\n".join(sorted(f"{goal_id} {least:g} {most:g}" for goal_id, (least, most) in levels))
    return letters_of(f"paper goals\n{client_id}\n{listed}", groups=(3, 3))


def printed_goals(
    store: Store, client_id: str, chosen: Sequence[tuple[str, str]], language: str
) -> tuple[str, Sheet]:
    """Put goals on a sheet, by their numbers in order, and make its code.

    Parameters
    ----------
    store, client_id
        As `mbc.care.askings.goals.goal_sheets` takes them.
    chosen : sequence of (str, str)
        Number of each goal, and the words that it is printed in; blank: the goal's own.
    language : str
        Of the words around the goals.

    Raises
    ------
    NotInRecord
        If the client has no such goal that can be printed.
    MbcError
        If the words are too long, the client has more goals than the code of a sheet can distinguish, or the code
        fits other goals, too.
    """
    every = own_goals(store, client_id)
    there = {goal.goal_id: goal for goal in goals_on_paper(every)}
    words = dict(chosen)
    require_goals(client_id, words, there)
    if len(there) > MOST_GOALS:
        raise MbcError(
            f"{len(there)} goals are current; goals can be printed for a client with at most {MOST_GOALS}. Retire "
            "those that are no longer worked on."
        )
    goals = [there[goal_id] for goal_id in sorted(words)]
    levels = [_levels(goal) for goal in goals]
    sheet = Sheet(
        instructions=instructions_of(language) if GOAL_BASED in levels else None,
        questions=tuple(_question(goal, words_of(goal, words[goal.goal_id]), language) for goal in goals),
    )
    code = goals_code(client_id, [(goal.goal_id, _levels(goal)) for goal in goals])
    if len(_sheets_of_code(client_id, every, code)) != 1:
        raise MbcError(
            "The code of these goals also fits other goals of this client. Print fewer or more of them."
        )
    return code, sheet


def goals_of_code(client_id: str, goals: Sequence[Goal], code: str) -> GoalsOnSheet | None:
    """Find the goals that a sheet was printed for; None where its code fits no sheet of this client's goals.

    One that fits several, since goals were added, is not guessed: None as well.

    A sheet is found after a goal was retired, too, and after its levels were changed: what was marked on other
    levels is for the caller to refuse.

    Parameters
    ----------
    client_id : str
    goals : sequence of Goal
        All of the client's, as `mbc.care.askings.goals.own_goals` gives them.
    code : str
        As it was typed.
    """
    fitting = _sheets_of_code(client_id, goals, code)
    if len(fitting) != 1:
        return None
    (printed,) = fitting
    changed = tuple(goal for goal, levels in printed if levels != _levels(goal))
    return GoalsOnSheet(tuple(goal for goal, _ in printed), changed)


def _sheets_of_code(client_id: str, goals: Sequence[Goal], code: str) -> list[list[tuple[Goal, _Levels]]]:
    """Find every sheet that a code fits: six letters of a digest are shared by a few of 19 682."""
    letters = typed_letters(code)
    return [
        printed
        for printed in _possible_sheets(goals)
        if typed_letters(goals_code(client_id, [(goal.goal_id, levels) for goal, levels in printed])) == letters
    ]


def _possible_sheets(goals: Sequence[Goal]) -> Iterator[list[tuple[Goal, _Levels]]]:
    """Make every set of goals, each on either levels; of many goals, those retired long ago are left out."""
    latest = sorted(goals, key=lambda goal: (goal.retired_on is not None, -_retired(goal)))[:MOST_GOALS]
    each = [
        ((goal, _levels(goal)), (goal, GOAL_BASED if _levels(goal) == ATTAINMENT else ATTAINMENT), None)
        for goal in sorted(latest, key=lambda goal: goal.goal_id)
    ]
    for made in product(*each):
        if printed := [goal for goal in made if goal is not None]:
            yield printed


def _retired(goal: Goal) -> int:
    return 0 if goal.retired_on is None else goal.retired_on.toordinal()


def _levels(goal: Goal) -> _Levels:
    return rating_range(goal.baseline, goal.target)


def _question(goal: Goal, text: str, language: str) -> Question:
    least, most = (int(end) for end in _levels(goal))
    words = _level_words(goal, language)
    choices = tuple(Choice(value=n, text=words.get(n, str(n))) for n in range(least, most + 1))
    return Question(text=text, choices=choices, lowest=least, highest=most)


def _level_words(goal: Goal, language: str) -> dict[int, str]:
    """Word the levels of goal attainment; where a lower one is better, "more" would be worse: numbers alone."""
    if _levels(goal) != ATTAINMENT or not goal.higher_is_better:
        return {}
    names = _ATTAINMENT_WORDS.get(language.split("-", maxsplit=1)[0], _ATTAINMENT_WORDS["en"])
    return dict(enumerate(names, start=int(ATTAINMENT[0])))
