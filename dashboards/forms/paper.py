"""The form of what was answered on paper: a questionnaire, about whom, its answers by number keys; or goals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dashboards.forms.entry import Draft, EntryForm, Subject, is_current
from dashboards.forms.fields import Choice, Field, Reading, choices
from dashboards.forms.goals import last_rating, level_choices
from dashboards.forms.record_words import quoted
from mbc.box.token import typed_letters
from mbc.care.askings.goals import own_goals
from mbc.care.askings.paper import paper_code
from mbc.care.askings.paper_goals import GoalsOnSheet, goals_of_code, goals_on_paper
from mbc.care.words import day_words
from mbc.errors import StoreError
from mbc.instruments import Instrument, Item
from mbc.instruments.definition.definition import Coding, Form
from mbc.instruments.library import instrument as load
from mbc.instruments.library import keys
from mbc.store import Administration, Goal, GoalRating

FIRST_ITEM = "item-1"
_MOST_BUTTONS = 11  # a wider range of answers is typed
_ASKED = "asked"  # sent along with the items: which questionnaire they belong to
_SEPARATOR = "/"


def _fields(subject: Subject, _: object, sent: Mapping[str, str]) -> tuple[Field, ...]:
    """Ask first for the questionnaire or the code on its printed form, then for its answers."""
    code = sent.get("code", "").strip()
    by_code = _of_code(subject, code)
    if by_code is None and (goals := _goals_of_code(subject, code)):
        return _goal_fields(subject, goals, code)
    chosen = by_code[0].value if by_code else sent.get("questionnaire", "")
    named = next((each for each in _offered(subject) if each.value == chosen), None)
    which = Field("questionnaire", "Questionnaire", "select", chosen, tuple(_offered(subject)), required=not code)
    day = Field("taken_on", "Answered on", "day", subject.today.isoformat(), most=subject.today)
    typed = Field(
        "code", "Code on the printed form", value=code, required=False, longest=20, hint="if it was printed here"
    )
    if named is None:
        return which, typed, day
    instrument, form, coding = _parts(chosen)
    about = _targets(subject, instrument)
    target = (Field("target", "About", "choice", about[0].value, about),) if about else ()
    if by_code:
        which = Field("questionnaire", "", "hidden", chosen, required=False)
        typed = replace(typed, hint=named.words)
        target = (Field("target", "", "hidden", by_code[1], required=False),)
    elif not code:
        typed = Field("code", "", "hidden", "", required=False)
    blanks = (
        (Field("blanks", "The blank answers are also blank on paper", "check", required=False),)
        if _ASKED in sent
        else ()
    )
    asked = Field(_ASKED, "", "hidden", chosen, required=False)
    return (which, typed, day, *target, *_items(instrument, form, coding), *blanks, asked)


def _offered(subject: Subject) -> Iterator[Choice]:
    """List the questionnaires: those that the client has answered first; of each, every order and coding."""
    store = subject.store
    used = dict.fromkeys(store.administrations(client_id=subject.client_id)["instrument"].reverse())
    for key in [*(key for key in used if key in keys()), *(key for key in keys() if key not in used)]:
        instrument = load(key)
        if instrument.safety_channel and not store.has_permission("safety:read"):
            continue
        group = "Answered before" if key in used else instrument.construct_name.capitalize()
        for form in instrument.forms:
            for coding in instrument.own_codings:
                value = _SEPARATOR.join((key, form.key, coding.key))
                yield Choice(value, _title(instrument, form, coding), group)


def _of_code(subject: Subject, code: str) -> tuple[Choice, str] | None:
    """Find the questionnaire of the code on a sheet, and whom it is about; None where no sheet has it."""
    letters = typed_letters(code)
    if not letters:
        return None
    everybody = ["self", *(relationship.relationship_id for relationship, _ in subject.relationships)]
    for each in _offered(subject):
        key, form, coding = each.value.split(_SEPARATOR)
        for target in everybody:
            if typed_letters(paper_code(subject.client_id, key, form, coding, target)) == letters:
                return each, target
    return None


def _goals_of_code(subject: Subject, code: str) -> GoalsOnSheet | None:
    letters = typed_letters(code)
    if not letters:
        return None
    return goals_of_code(subject.client_id, own_goals(subject.store, subject.client_id), letters)


def _goal_fields(subject: Subject, sheet: GoalsOnSheet, code: str) -> tuple[Field, ...]:
    """Ask for the ratings of the goals on a sheet, by their numbers there; say which are no longer current."""
    ratings = [
        Field(
            f"item-{place}", f"{place}. {goal.label}", "choice", "", level_choices(goal), required=False,
            hint=last_rating(subject, goal),
        )
        for place, goal in _current(sheet)
    ]  # fmt: skip
    since = _changes_since(subject, sheet)
    return (
        Field("questionnaire", "", "hidden", "", required=False),
        Field("code", "Code on the printed form", value=code, required=False, longest=20, hint=since),
        Field("taken_on", "Answered on", "day", subject.today.isoformat(), most=subject.today),
        *(() if sheet.other_levels else ratings),
        Field(_ASKED, "", "hidden", typed_letters(code), required=False),
    )


def _current(sheet: GoalsOnSheet) -> list[tuple[int, Goal]]:
    return [(place, goal) for place, goal in enumerate(sheet.goals, start=1) if goal.retired_on is None]


def _changes_since(subject: Subject, sheet: GoalsOnSheet) -> str:
    """Say what has changed since the sheet was printed, and what is not on it."""
    gone = [
        f"{place}. {quoted(goal.label)} was retired on {day_words(goal.retired_on)} and is not asked for"
        for place, goal in enumerate(sheet.goals, start=1)
        if goal.retired_on is not None
    ]
    on_it = {goal.goal_id for goal in sheet.goals}
    others = [
        f"{quoted(goal.label)}, set on {day_words(goal.set_on)}, is not on this sheet"
        for goal in goals_on_paper(own_goals(subject.store, subject.client_id))
        if goal.goal_id not in on_it
    ]
    return "; ".join(("goal ratings", *gone, *others))


def _goal_draft(sheet: GoalsOnSheet, typed: Reading) -> Draft | None:
    if sheet.other_levels:
        changed = ", ".join(quoted(goal.label) for goal in sheet.other_levels)
        raise StoreError(
            f"code: Since this sheet was printed, the levels were changed of {changed}: what was marked means "
            "something else there. Print a new sheet, or ask the client and use Goal ratings."
        )
    if not _current(sheet):
        raise StoreError("code: Every goal of this sheet was retired; nothing is left to rate.")
    if typed.text(_ASKED) != typed_letters(typed.text("code")):
        return None
    day = typed.day("taken_on")
    given = [(goal, _answer(typed, f"item-{place}")) for place, goal in _current(sheet)]
    ratings = tuple(GoalRating(goal.goal_id, day, rating) for goal, rating in given if rating is not None)
    if not ratings:
        raise StoreError("Rate at least one goal; the others can stay blank.")
    return Draft(ratings)


def _title(instrument: Instrument, form: Form, coding: Coding) -> str:
    details = [form.title] if len(instrument.forms) > 1 else []
    details += [coding.title] if len(instrument.own_codings) > 1 else []
    return instrument.name + (f" ({'; '.join(details)})" if details else "")


def _parts(chosen: str) -> tuple[Instrument, Form, Coding]:
    key, form, coding = chosen.split(_SEPARATOR)
    instrument = load(key)
    return instrument, instrument.form(form), instrument.coding(coding)


def _targets(subject: Subject, instrument: Instrument) -> tuple[Choice, ...]:
    rules = instrument.applicability
    if not (rules.needs_relationship or rules.needs_target):
        return ()
    listed = [
        (relationship.relationship_id, relationship.label + ("" if is_current(status) else ", ended"))
        for relationship, status in subject.relationships
    ]
    return choices(listed)


def _items(instrument: Instrument, form: Form, coding: Coding) -> Iterator[Field]:
    for place, item_id in enumerate(form.order, start=1):
        item = instrument.item(item_id)
        label = f"{place}. {item.label}"
        least, most = coding.accepted(item)
        if item.whole_numbers and most - least < _MOST_BUTTONS:
            yield Field(f"item-{place}", label, "choice", "", _answers(item, coding), required=False)
        else:
            yield Field(f"item-{place}", label, "number", "", required=False, least=least, most=most)


def _answers(item: Item, coding: Coding) -> tuple[Choice, ...]:
    least, most = coding.accepted(item)
    apart = coding.not_applicable(item)
    return tuple(
        Choice(str(n), "does not apply" if n == apart else str(n), key="x" if n == 10 else "")
        for n in range(least, most + 1)
    )


def _draft(subject: Subject, _: object, typed: Reading, __: str) -> Draft | None:
    by_code = _of_code(subject, typed.text("code"))
    if by_code is None and (goals := _goals_of_code(subject, typed.text("code"))):
        return _goal_draft(goals, typed)
    if typed.text("code") and by_code is None:
        raise StoreError(
            "code: No form printed for this client has this code. Check it, or choose the questionnaire."
        )
    chosen = by_code[0].value if by_code else typed.text("questionnaire")
    if typed.text(_ASKED) != chosen:
        return None
    instrument, form, coding = _parts(chosen)
    answers = [_answer(typed, f"item-{place}") for place in range(1, len(form.order) + 1)]
    blank = [place for place, answer in enumerate(answers, start=1) if answer is None]
    if len(blank) == len(answers):
        raise StoreError("No answer was given. Answer at least one item.")
    if blank and not typed.check("blanks"):
        listed = ", ".join(str(place) for place in blank)
        raise StoreError(
            f"blanks: No answer to {listed}. Enter the answer, or confirm that it is also blank on paper."
        )
    taken = Administration(
        subject.client_id,
        instrument.key,
        typed.day("taken_on"),
        tuple(answers),
        version=instrument.version,
        form=form.key,
        coding=coding.key,
        target=typed.text("target") or "self",
        episode_id=subject.open_episode.episode_id if subject.open_episode else None,
    )
    return Draft((taken,))


def _answer(typed: Reading, name: str) -> float | None:
    value = typed.values.get(name)
    return float(value) if isinstance(value, (str, float)) else None


PAPER = EntryForm(
    "paper", "Questionnaire on paper", "This session", (Administration, GoalRating), _fields, _draft,
    lead="Number keys answer and go on; x enters 10; the Delete key leaves an item blank. -2 to 2: keys 1 to 5.",
)  # fmt: skip
