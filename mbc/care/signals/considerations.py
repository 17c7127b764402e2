"""What may be worth considering once a signal has led to a change: short lists in our own words, with sources.

References
----------
.. [1] Barkham et al. (2023), doi:10.1080/10503307.2023.2181114: progress feedback helps most where lists of things
       to consider are used for clients who are not on track.
.. [2] Lutz et al. (2022), doi:10.1037/ccp0000642: in a trial of 538 pairs feedback alone had no main effect; it
       helped where the recommended strategy was followed.
"""

from __future__ import annotations

from dataclasses import dataclass

_LISTS = "Barkham et al. (2023), doi:10.1080/10503307.2023.2181114"
_FOLLOWED = "Lutz et al. (2022), doi:10.1037/ccp0000642"


@dataclass(frozen=True, slots=True)
class Considerations:
    """What to consider about one kind of change."""

    change: str
    points: tuple[str, ...]
    sources: tuple[str, ...]


CONSIDERATIONS: tuple[Considerations, ...] = (
    Considerations(
        "alliance",
        (
            "Ask how the work together feels, before asking what went wrong.",
            "Agree again on the goals, and on how they are worked on.",
            "Was a session missed or a task left undone after a strain? Record a rupture, and later its repair.",
            "A short alliance questionnaire shows whether it has moved.",
        ),
        (_LISTS, _FOLLOWED),
    ),
    Considerations(
        "motivation",
        (
            "What does the client want now: to stay, to leave, to change something? The answer is theirs.",
            "What speaks for leaving things as they are?",
            "Is each goal still the client's own? Revise it or retire it with a reason.",
        ),
        (_LISTS, _FOLLOWED),
    ),
    Considerations(
        "safety",
        (
            "Ask alone, never with a partner present: is the client afraid of anybody?",
            "Look under Restricted whether there is a plan, and when it was last reviewed.",
            "Work as a couple waits until this is clear.",
        ),
        (_FOLLOWED,),
    ),
    Considerations(
        "life event",
        (
            "Did something happen that no questionnaire asks about?",
            "Record it as an event: it then appears on every chart.",
            "Who can the client count on meanwhile? A hard time is not a failure of the work; look again soon.",
        ),
        (_LISTS, _FOLLOWED),
    ),
    Considerations(
        "skills and homework",
        (
            "Was the task clear, small enough, and tied to a goal?",
            "Practise it in the session before it becomes homework.",
            "Record how helpful it was; change what was not.",
        ),
        (_FOLLOWED,),
    ),
    Considerations(
        "measure does not fit",
        (
            (
                "Does the questionnaire ask about what the client is working on? Many add a problem during "
                "therapy (60 % of 238 clients)."
            ),
            "A goal rated by the client may show what a scale cannot.",
            "Does the client answer relationship questionnaires about the right relationship?",
            "Plan another questionnaire, and keep the old one for a while to compare.",
        ),
        ("PSYCHLOPS in Poland (n = 238)", _LISTS),
    ),
)


def considerations_of(change: str) -> Considerations:
    """Give the list of one kind of change.

    Examples
    --------
    >>> len(considerations_of("alliance").points)
    4
    """
    return next(each for each in CONSIDERATIONS if each.change == change)
