"""Everything a client's page shows, read once from the record."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from mbc.care import ClientReview, CohortModels, Trajectory, client_review
from mbc.care.client.course_shapes import CourseShape, course_shapes
from mbc.care.client.moved_items import ItemStrip, items_since_last_time
from mbc.care.client.pattern_recurrence import PatternTable, pattern_table
from mbc.care.client.relationship_patterns import RelationshipPattern, relationship_patterns
from mbc.care.course.charted_scales import ALLIANCE
from mbc.care.signals.ledger import ClientSignals
from mbc.care.signals.note import signals_of
from mbc.care.values.course import Mark
from mbc.figures.client_page.answers_chart import answers_chart
from mbc.figures.client_page.colours import dark_for_light
from mbc.figures.client_page.course_chart import course_tile, enlarged_course
from mbc.figures.client_page.quadrant_chart import quadrant_chart
from mbc.figures.client_page.sheet import Chart, Sheet, shared_sheet
from mbc.figures.client_page.timeline_chart import lives_of, timeline_chart
from mbc.instruments import instrument as load
from mbc.store import Store

_MOST_AHEAD = 400  # days after the last score that the axis reaches for "today"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One client as their page shows them."""

    review: ClientReview
    strips: tuple[ItemStrip, ...]
    moved: tuple[ItemStrip, ...]  # most since last time
    patterns: tuple[RelationshipPattern, ...]
    shapes: tuple[CourseShape, ...]  # how uneven each course is
    sheet: Sheet | None  # the time axis of all charts
    signals: ClientSignals  # what the ledger asks
    recurrence: PatternTable  # patterns across relationships, and the support network

    @property
    def drawn(self) -> tuple[Trajectory, ...]:
        """The scales that have a score to draw."""
        return tuple(course for course in self.review.trajectories if not course.empty)

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Events and changes of relationship, the same on every chart."""
        return self.review.trajectories[0].marks if self.review.trajectories else ()


def read_snapshot(
    store: Store, client_id: str, *, cohort: CohortModels | None = None, as_of: dt.date | None = None
) -> Snapshot:
    """Read one client's page; raises NotInRecord for a client the store does not show."""
    review = client_review(store, client_id, cohort=cohort, as_of=as_of)
    strips, moved = items_since_last_time(store, review)
    return Snapshot(
        review=review,
        strips=strips,
        moved=moved,
        patterns=relationship_patterns(review),
        shapes=course_shapes(review.trajectories, cohort),
        sheet=shared_sheet(review.trajectories),
        signals=signals_of(store, review, cohort),
        recurrence=pattern_table(store, client_id, review.timeline),
    )


def chart_key(course: Trajectory) -> str:
    """Name a chart: the questionnaire and its scale."""
    return f"{course.instrument}.{course.scale}"


def tile_charts(snapshot: Snapshot) -> dict[str, Chart]:
    """Draw each scale as a tile, by `chart_key`; the alliance is on the timeline."""
    sheet = snapshot.sheet
    if sheet is None:
        return {}
    courses = (course for course in snapshot.drawn if course.construct != ALLIANCE)
    return {chart_key(course): course_tile(course, sheet) for course in courses}


def timeline(snapshot: Snapshot) -> Chart | None:
    """Draw the timeline; None where nothing spans a day."""
    sheet = snapshot.sheet
    return None if sheet is None else timeline_chart(lives_of(snapshot.review), sheet)


def browser_data(snapshot: Snapshot) -> dict[str, Any]:
    """Give what the browser draws by itself: enlarged charts, answers, and the colours of a dark page."""
    sheet = snapshot.sheet
    enlarged: dict[str, Chart] = {}
    answers: dict[str, Chart] = {}
    for course in snapshot.drawn:
        if sheet is None:
            break
        bands = [(band.start, band.label) for band in load(course.instrument).scale(course.scale).bands]
        enlarged[chart_key(course)] = enlarged_course(course, sheet, bands)
        rows = [strip for strip in snapshot.strips if strip.instrument == course.instrument]
        own = [strip for strip in rows if strip.scale == course.scale]
        if own:
            answers[chart_key(course)] = answers_chart(own)
    return {
        "client": snapshot.review.client_id,
        "enlarged": enlarged,
        "answers": answers,
        "dark": dark_for_light(),
    }


def quadrant(snapshot: Snapshot) -> Chart | None:
    """Draw the client's own change against satisfaction, where any relationship has both."""
    if all(pattern.story == "not known" for pattern in snapshot.patterns):
        return None
    return quadrant_chart(snapshot.patterns)
