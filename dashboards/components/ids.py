"""The names by which callbacks find components; a mistyped one is a NameError."""

from __future__ import annotations

from dash import ALL

URL = "url"
PROVIDER = "provider"
MAIN = "main"
THEME = "theme"  # "light" | "dark", in memory only
THEME_SWITCH = "theme-switch"
TROUBLE = "trouble"
NAV = "nav"

CASELOAD_GRID = "caseload-grid"
CASELOAD_FIND = "caseload-find"
CASELOAD_ASK = "caseload-ask"
CASELOAD_NONE = "caseload-none"
CASELOAD_LIST = "caseload-list"
CASELOAD_MORE = "caseload-more"
CASELOAD_SCORES = "caseload-scores"
CASELOAD_SCORES_BUTTON = "caseload-scores-button"

AXIS = "axis"
BETTER_UP = "better-is-up"
COMMON = "zero-to-hundred"
QUIET = "quiet-moves"
VIEW = "view"  # what the visitor chose, as the session remembers it
BROWSER_DATA = "browser-data"  # what the browser draws by itself
TIMELINE = "timeline"
QUADRANT = "quadrant"
ENLARGED = "enlarged"  # the dialog
ENLARGED_GRAPH = "enlarged-graph"
ANSWERS_GRAPH = "answers-graph"
RECORD_BUTTON = "record-button"
RECORD = "record"

POINTS_BUTTON = "points-button"
POINTS = "points"

GLASS = "glass"
OTHER_CLIENT = "other-client"
OTHER_REASON = "other-reason"
OTHER_EXTENT = "other-extent"

LOG_FIND = "log-find"
LOG_WHO = "log-who"
LOG_ACTION = "log-action"
LOG_ABOUT = "log-about"
LOG_FROM = "log-from"
LOG_TO = "log-to"
LOG_LINES = "log-lines"

PERIOD = "period"
COHORT = "cohort"
DEFINITION = "definition"
RELEASE = "release"
RELEASED = "released"
OUTCOMES = "outcomes"
OUTCOMES_GRAPH = "outcomes-graph"
COMPARED_MEASURE = "compared-measure"
COMPARED = "compared"
OWN_COMPARISON_GRAPH = "own-comparison-graph"
CLINICIANS_GRAPH = "clinicians-graph"

LISTS: frozenset[str] = frozenset()  # components whose value is a list, for callbacks that expect one

_TRAJECTORY = "trajectory"
ALL_TRAJECTORIES = {"type": _TRAJECTORY, "chart": ALL}


def trajectory(chart: str) -> dict[str, str]:
    """Name the chart of one scale.

    Examples
    --------
    >>> trajectory("rses.total")
    {'type': 'trajectory', 'chart': 'rses.total'}
    """
    return {"type": _TRAJECTORY, "chart": chart}
