"""Which steps between two sessions were sudden gains, and which sudden losses."""

from __future__ import annotations

from mbc.models.courses.gains import SuddenGains
from mbc.models.courses.search import SearchOptions, search
from mbc.models.courses.shared_parameters import with_parameters_of


@with_parameters_of(SearchOptions)
def sudden_gains(frame: object, options: SearchOptions) -> SuddenGains:
    """Find sudden gains: large, lasting improvements between two consecutive sessions.

    Parameters
    ----------
    frame : table
        One row per client and session: pandas, polars, pyarrow, duckdb, pyspark. A row without a score is a missed
        session.
    client, time, score : str
        Its columns; time contains dates or session numbers, score contains scale points.
    higher_is_better : bool
        Direction of the scale: a gain is a drop where lower is better, a rise where higher is.
    cutoff : float, optional
        Criterion 1: least size of the step, in scale points; a step of exactly this size counts.
    sd, reliability, norms, confidence
        The cutoff computed instead, as the reliable change of the reference sample:
        ``z * sqrt(2) * sd * sqrt(1 - reliability)``. Without ``sd`` that of the clients' first scores is taken.
    criteria : tuple of int
        Which apply: 1 the size, 2 the share of the score before, 3 the spread around.
    proportion : float
        Criterion 2: least size as a share of the score before the step, counted from ``scale_origin``.
    alpha, critical : float
        Criterion 3: Student's t for the three scores at most on either side, two-sided at ``alpha``; or one
        constant for all (2.776 in older papers).
    scale_origin : float
        Where the scale counts from: its least score, or its greatest where the distance from the best counts.
    sessions : {"auto", "numbers", "rows"}
        ``numbers``: a number that a client lacks is a missed session. ``rows``: each row is the next session.
        ``auto``: numbers if times are whole numbers of which clients have at least half; else rows.
    bridge_missed : bool
        Whether a step may lead over missed sessions; ``bridged`` counts them.
    longest_gap : float, optional
        Steps over more time than this are not judged; days for dates, else the unit of ``time``.
    search_window : (first, last), optional
        Search these times only; scores outside still serve as ``start`` and ``end``.
    start, end : time, optional
        Where the total change is counted from and to; each client's first and last score unless given.
    reversal, reversal_inclusive
        A gain is reversed when a later score, from the second after the step on, gives back more than this share
        of it; with ``reversal_inclusive`` exactly this share too.
    permutations, seed : int
        How often to shuffle each client's scores, to see how many gains chance would give: see ``chance``.
    first_is_baseline : bool
        The first session is a baseline and counts as session 0.
    compat : {"suddengains"}, optional
        Give what that R package gives, its peculiarities included; the table then has its names.

    Returns
    -------
    SuddenGains
        Empty if there is none. The first and the last step of a client are never examined: one score alone does
        not show what was stable.

    Raises
    ------
    ModelError
        If a column is missing, a client has two rows at one time, or criterion 1 lacks its cutoff.

    References
    ----------
    .. [1] Tang & DeRubeis (1999), doi:10.1037/0022-006X.67.6.894.
    .. [2] Lutz et al. (2013), doi:10.1080/10503307.2012.693837: the constant adjusted for missing scores.

    Examples
    --------
    >>> import polars as pl
    >>> scores = pl.DataFrame({"who": ["a"] * 8, "week": range(8), "phq": [20, 19, 21, 12, 11, 10, 12, 9]})
    >>> gains = sudden_gains(scores, client="who", time="week", score="phq", higher_is_better=False, cutoff=6)
    >>> gains.table.select("who", "before", "after", "magnitude", "reversed").rows()
    [('a', 2, 3, 9.0, False)]
    """
    return search(frame, options, "gain")


@with_parameters_of(SearchOptions)
def sudden_losses(frame: object, options: SearchOptions) -> SuddenGains:
    """Find sudden losses: the exact mirror of sudden gains.

    Everything is as for `sudden_gains` with the direction of the scale turned round: sizes are those of the
    worsening, ``cutoff`` and ``proportion`` are positive.

    Parameters
    ----------
    frame, client, time, score, higher_is_better, ...
        As for `sudden_gains`.
    compat : {"suddengains"}, optional
        That R package's ``identify_sl``: with its default proportion of 0.25 criterion 2 holds for every rise;
        with -0.25 it asks for a rise of a quarter.

    Examples
    --------
    >>> import polars as pl
    >>> scores = pl.DataFrame({"who": ["a"] * 8, "week": range(8), "phq": [9, 12, 10, 19, 21, 20, 19, 20]})
    >>> losses = sudden_losses(scores, client="who", time="week", score="phq", higher_is_better=False, cutoff=6)
    >>> losses.table.select("before", "after", "magnitude").rows()
    [(2, 3, 9.0)]
    """
    return search(frame, options, "loss")
