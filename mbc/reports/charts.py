"""The figures of a report: the charts of the client's page in ink, with words for who cannot see them."""

from __future__ import annotations

from collections.abc import Callable

from mbc.care.values.course import Trajectory
from mbc.care.values.review import ClientReview
from mbc.care.words import lower_first
from mbc.figures.client_page.course_chart import course_tile
from mbc.figures.client_page.paper import paper_chart, paper_key
from mbc.figures.client_page.sheet import Sheet
from mbc.figures.client_page.timeline_chart import lives_of, timeline_chart
from mbc.reports.document import Picture

SCALE = 0.82  # charts are drawn larger than they are printed: letters of 9 points become 7.4


def course_picture(
    course: Trajectory,
    sheet: Sheet,
    *,
    width: float,
    height: float,
    alt: str,
    tick_words: Callable[[str], str] = str,
) -> Picture:
    """Draw one scale; width and height in millimetres on paper."""
    figure = paper_chart(
        course_tile(course, sheet),
        caption=alt,
        width=width / SCALE,
        height=height / SCALE,
        tick_words=tick_words,
    )
    return Picture(figure.svg(), alt, width)


def timeline_picture(review: ClientReview, sheet: Sheet, *, width: float) -> Picture:
    """Draw relationships, events, sessions and questionnaires on the axis of the charts."""
    sessions = f"{review.sessions_attended} sessions kept, {review.sessions_missed} missed"
    alt = f"Timeline of relationships, events, sessions and questionnaires: {sessions}. Events are listed below."
    figure = paper_chart(
        timeline_chart(lives_of(review), sheet), caption=alt, width=width / SCALE, height=34 / SCALE, most_days=8
    )
    return Picture(figure.svg(), alt, width)


def key_picture(courses: tuple[Trajectory, ...], *, width: float) -> Picture:
    """Draw the key of the charts: only what some of them has."""
    drawn = {
        "score": ("score", True),
        "noise": ("measurement error", any(s.noise for course in courses for s in course.segments)),
        "expected": ("expected from intake", any(course.curves for course in courses)),
        "fan": ("likely end (80 %)", any(course.forecast for course in courses)),
        "cutoff": ("cutoff", any(course.cutoffs for course in courses)),
        "goal": ("goal", any(course.goals for course in courses)),
        "not asked": ("not asked", any(course.not_applicable for course in courses)),
    }
    names = {role: name for role, (name, there) in drawn.items() if there}
    alt = f"Key of the charts: {', '.join(names.values())}."
    return Picture(paper_key(names, caption=alt, width=width / SCALE).svg(), alt, width)


def chart_words(course: Trajectory) -> str:
    """Give the alternative text of a chart: what it shows, where it began and where it is.

    The text is the caption's own first sentences, so that hearing and seeing agree.
    """
    return f"Chart of {lower_first(course.title)}: {course.summary}"
