"""How a client's own goals are asked: each a question of its own, from 0 to 10, in the words that were agreed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from mbc.box.content import Choice, Question, Sheet
from mbc.care.client.goals import GOAL_BASED, known_scale, rating_range
from mbc.errors import MbcError, NotInRecord
from mbc.store import Goal, Store
from mbc.store.askings import GOAL, AskedSheet

_MOST = 10
_LONGEST = 160
_CODING = "0-10"
_INSTRUCTIONS = {
    "en": "How far are you with this today? 0: not at all. 10: fully.",
    "de": "Wie weit sind Sie damit heute? 0: gar nicht. 10: ganz.",
    "es": "¿Hasta dónde ha llegado hoy con esto? 0: nada. 10: del todo.",
    "fr": "Où en êtes-vous aujourd’hui ? 0 : pas du tout. 10 : entièrement.",
    "nl": "Hoe ver bent u hier vandaag mee? 0: helemaal niet. 10: helemaal.",
}


def own_goals(store: Store, client_id: str) -> list[Goal]:
    """Give all goals of a client that no questionnaire rates, retired ones too."""
    names = list(Goal.__dataclass_fields__)
    every = [Goal(**row) for row in store.goals(client_id=client_id).select(names).iter_rows(named=True)]
    return [goal for goal in every if known_scale(goal.scale) is None]


def ratable_goals(store: Store, client_id: str) -> list[Goal]:
    """Give the goals that a client can be asked to rate on a device: current ones, rated 0 to 10."""
    return [goal for goal in own_goals(store, client_id) if is_ratable(goal)]


def is_ratable(goal: Goal) -> bool:
    """Say whether a device can ask for a goal: levels of goal attainment are agreed with the therapist."""
    return goal.retired_on is None and rating_range(goal.baseline, goal.target) == GOAL_BASED


def goal_sheets(
    store: Store, client_id: str, goals: Sequence[tuple[str, str]], language: str
) -> list[tuple[AskedSheet, Sheet]]:
    """Put goals as the client is shown them, and as the record keeps them.

    Parameters
    ----------
    store : Store
        The record, or a clinician's view of it.
    client_id : str
        Whose goals.
    goals : sequence of (str, str)
        Number of each goal, and the words that it is shown in; blank: the goal's own.
    language : str
        Of the words around the goal.

    Raises
    ------
    NotInRecord
        If the client has no such goal that can be rated.
    MbcError
        If the words are too long.
    """
    known = {goal.goal_id: goal for goal in ratable_goals(store, client_id)} if goals else {}
    made: list[tuple[AskedSheet, Sheet]] = []
    require_goals(client_id, dict(goals), known)
    for goal_id, words in dict(goals).items():
        sheet = _sheet(words_of(known[goal_id], words), language)
        made.append((AskedSheet(GOAL, "1", "standard", _CODING, "care", sheet.to_json(), target=goal_id), sheet))
    return made


def require_goals(client_id: str, wanted: Iterable[str], known: Collection[str]) -> None:
    """Refuse the number of a goal that is not among those that can be rated.

    Raises
    ------
    NotInRecord
        Naming the first one, and those there are.
    """
    for goal_id in wanted:
        if goal_id not in known:
            there = ", ".join(known) or "there is none"
            raise NotInRecord(f"{client_id} has no goal '{goal_id}' that can be rated; {there}.")


def words_of(goal: Goal, words: str) -> str:
    """Give the words that a goal is shown in: those that were agreed, else its own.

    Raises
    ------
    MbcError
        If they are too long.
    """
    text = " ".join(words.split()) or goal.label
    if len(text) > _LONGEST:
        raise MbcError(f"The words for {goal.goal_id} have {len(text)} characters; at most {_LONGEST} are shown.")
    return text


def instructions_of(language: str) -> str:
    """Give what is said above goals that are rated 0 to 10."""
    return _INSTRUCTIONS.get(language.split("-", maxsplit=1)[0], _INSTRUCTIONS["en"])


def _sheet(text: str, language: str) -> Sheet:
    choices = tuple(Choice(value=value, text=str(value)) for value in range(_MOST + 1))
    return Sheet(
        instructions=instructions_of(language),
        questions=(Question(text=text, choices=choices, lowest=0, highest=_MOST),),
    )
