"""How the finished clients of a clinician fared, compared with what is expected given their case mix.

A clinician sees themselves; comparing clinicians needs the permission ``clinicians:compare``. Nobody is ranked.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from mbc.care.clinic.kept_results import KeptResults
from mbc.care.clinic.record_frames import record_frames
from mbc.errors import AccessDenied, MbcError, ModelError, SettingsError
from mbc.exchange.own_definitions import with_definitions_of_record
from mbc.instruments import instrument as load
from mbc.instruments.short_names import short_name
from mbc.models.change.groups.overdispersion import variance_beyond_chance
from mbc.models.change.inputs.distributions import two_sided
from mbc.models.effects.case_mix import LEAST_CLIENTS, LEAST_CLIENTS_OF_A_CLINICIAN, LEAST_CLINICIANS, Difference
from mbc.outcomes import Period
from mbc.outcomes.case_mix import Expectation, case_mix_table, learn_expectation, measured_clients
from mbc.store import Store
from mbc.store._aggregate_view import counting_view

LEAST = 20
"""Measured clients of a clinician who is compared with others; a clinic may ask for more."""
LEAST_OWN = 5
LEVELS = (0.95, 0.998)  # of the funnel's limits
_Asked = tuple[str, str | None, dt.date | None, dt.date | None]  # questionnaire, scale, first and last day
_POINTS = (
    "observed", "expected", "difference", "lower", "upper", "shrunken", "shrunken_lower", "shrunken_upper",
)  # fmt: skip
_COLUMNS = {
    "clinician_id": pl.String,
    "finished": pl.Int64,
    "measured": pl.Int64,
    **dict.fromkeys((*_POINTS, "funnel_95", "funnel_99_8"), pl.Float64),
}


@dataclass(frozen=True, slots=True)
class ClinicianLine:
    """One clinician: how many clients, and how they fared, in points of improvement."""

    clinician_id: str
    finished: int  # clients whose care ended, measured or not
    difference: Difference
    limits: tuple[float, ...]  # of the funnel, on either side of 0, for each of LEVELS; none for one's own line
    unscored: int = 0  # of those finished, without a score that counts
    scored_once: int = 0  # with scores of one day only


@dataclass(frozen=True, slots=True)
class ClinicianOutcomes:
    """Lines of clinicians, in the order of their identifiers, and the expectation they are compared with."""

    expectation: Expectation
    lines: tuple[ClinicianLine, ...]
    left_out: int  # clinicians with fewer measured clients than asked for
    without_clinician: int  # measured clients of whom no clinician is on record
    least: int
    beyond_chance: float  # variance between clinicians that widens the funnel, in squared points
    own: bool = False  # one clinician's own line, for whom the clinic's figures are not shown

    def limits_at(self, clients: float) -> tuple[float, ...]:
        """Give the funnel's limits at a number of clients, on either side of 0, for each of `LEVELS`."""
        return _limits(self.expectation.model.within, clients, self.beyond_chance)

    def to_frame(self) -> pl.DataFrame:
        """Give a row for each clinician; one's own rounded as it is shown, as others' scores are behind it."""
        rows = [
            (
                line.clinician_id,
                line.finished,
                line.difference.clients,
                *(getattr(line.difference, name) for name in _POINTS),
                *(line.limits or (None, None)),
            )
            for line in self.lines
        ]
        table = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
        return table.with_columns(pl.col(pl.Float64).round(1)) if self.own else table


@with_definitions_of_record
def clinic_expectation(
    store: Store,
    instrument: str,
    scale: str | None = None,
    *,
    start: dt.date | None = None,
    end: dt.date | None = None,
) -> Expectation:
    """Learn what improvement is expected given case mix from the clinic's finished clients.

    Parameters
    ----------
    store : Store
        The record of the clinic, all of it.
    instrument, scale : str
        Questionnaire and scale; its main scale when none is named.
    start, end : date, optional
        First and last day on which care ended; all of it by default.

    Returns
    -------
    Expectation
        Coefficients and variances: it holds nobody's score.

    Raises
    ------
    AccessDenied
        If this is one user's view: an expectation is of everybody.
    ModelError
        With fewer than 50 measured clients, five for each coefficient, or three clinicians with five each.

    Notes
    -----
    Improvement from first to last score is regressed on the first score, whether the client was in a relationship
    on that day, and the number of earlier episodes of care, with a random intercept for each clinician, by REML.
    """
    table, period = _clinic_table(store, (instrument, scale, start, end))
    return learn_expectation(table, instrument, scale, period)


@with_definitions_of_record
def own_outcomes(store: Store, expectation: Expectation) -> ClinicianOutcomes:
    """Compare a clinician's own finished clients with what is expected given their case mix.

    Parameters
    ----------
    store : Store
        The clinician's view of the record.
    expectation : Expectation
        Of the clinic, from `clinic_expectation`.

    Returns
    -------
    ClinicianOutcomes
        One line.

    Raises
    ------
    AccessDenied
        If this is not a clinician's view.
    MbcError
        With fewer than 5 measured clients.
    """
    clinician_id = _own_clinician(store)
    of_scale = (expectation.instrument, expectation.scale)
    period = expectation.period
    table, _ = _table(counting_view(store, "clinic outcomes"), *of_scale, period.start, period.end)
    return own_line(table, expectation, clinician_id)


def own_line(table: pl.DataFrame, expectation: Expectation, clinician_id: str) -> ClinicianOutcomes:
    """Compare the clients of one clinician in a table of case mix; `own_outcomes` reads it from a record.

    Raises
    ------
    MbcError
        With fewer than 5 measured clients.
    """
    own = table.filter(pl.col("clinician_id") == clinician_id)
    measured = measured_clients(own).height
    if measured < LEAST_OWN:
        raise MbcError(
            f"{measured} of your clients whose care has ended have a first and a last score on "
            f"{short_name(expectation.instrument)}; with fewer than {LEAST_OWN} a mean says too little."
        )
    line = _line(clinician_id, own, _difference(own, expectation), ())
    return ClinicianOutcomes(expectation, (line,), 0, 0, LEAST_OWN, 0.0, own=True)


@with_definitions_of_record
def compare_own(
    clinic: Store, store: Store, instrument: str, scale: str | None = None, *, kept: KeptResults | None = None
) -> ClinicianOutcomes:
    """Learn from the clinic what is expected, and compare a clinician's own finished clients with it.

    Parameters
    ----------
    clinic : Store
        The record, all of it.
    store : Store
        The clinician's view of it.
    instrument, scale : str
        As in `clinic_expectation`.
    kept : KeptResults, optional
        Where what is read of the clinic is kept for as long as its record stays as it is.

    Returns
    -------
    ClinicianOutcomes
        As `own_outcomes` gives it with `clinic_expectation`; everybody is read once.

    Raises
    ------
    AccessDenied, MbcError
        As `own_outcomes`.
    ModelError
        Where the clinic has too little to learn from. How much it has is not for one clinician.
    """
    clinician_id = _own_clinician(store)
    table, period = _clinic_table(clinic, (instrument, scale, None, None), kept)
    own_clients = counting_view(store, "clinic outcomes").clients()["client_id"]
    try:
        expectation = learn_expectation(table, instrument, scale, period)
    except ModelError:
        raise ModelError(
            "The clinic does not have enough finished clients to say what is expected on "
            f"{short_name(instrument)}: that needs {LEAST_CLIENTS} with a first and a last score (more with more "
            f"case mix), and {LEAST_CLINICIANS} clinicians with {LEAST_CLIENTS_OF_A_CLINICIAN} each."
        ) from None
    return own_line(table.filter(pl.col("client_id").is_in(own_clients.implode())), expectation, clinician_id)


def _own_clinician(store: Store) -> str:
    if store.user is None or store.user.clinician_id is None:
        raise AccessDenied("Only an account of a clinician has clients of its own to compare with an expectation.")
    return store.user.clinician_id


@with_definitions_of_record
def compare_clinicians(
    store: Store,
    instrument: str,
    scale: str | None = None,
    *,
    least: int = LEAST,
    start: dt.date | None = None,
    end: dt.date | None = None,
    kept: KeptResults | None = None,
) -> ClinicianOutcomes:
    """Compare the finished clients of each clinician with what is expected given their case mix.

    Parameters
    ----------
    store : Store
        The record, or the view of somebody with the permission ``clinicians:compare``.
    instrument, scale, start, end
        As in `clinic_expectation`.
    least : int
        Measured clients that a clinician needs to have a line, 20 or more.
    kept : KeptResults, optional
        As in `compare_own`.

    Returns
    -------
    ClinicianOutcomes
        In the order of identifiers, never of values. With 10 clinicians or more, the funnel's limits allow for
        over-dispersion.

    Raises
    ------
    AccessDenied
        Without the permission.
    ModelError
        Where there is too little to learn an expectation from.
    SettingsError
        If ``least`` is below 20.
    """
    if least < LEAST:
        raise SettingsError(f"Clinicians are compared with {LEAST} measured clients each or more, got {least}.")
    source, asked = counting_view(store, "comparison of clinicians"), (instrument, scale, start, end)
    table, period = _everybody(kept, asked, lambda: _table(source, *asked))
    return comparison_of(table, learn_expectation(table, instrument, scale, period), least)


def comparison_of(table: pl.DataFrame, expectation: Expectation, least: int = LEAST) -> ClinicianOutcomes:
    """Compare the clinicians of a table of case mix; `compare_clinicians` reads it from a record."""
    measured = measured_clients(table)
    sizes = dict(measured.group_by("clinician_id").len().sort("clinician_id").iter_rows())
    chosen = [name for name, size in sizes.items() if size >= least]
    parts = {name: table.filter(pl.col("clinician_id") == name) for name in chosen}
    differences = {name: _difference(part, expectation) for name, part in parts.items()}
    variance, limits = _funnel(list(differences.values()), expectation.model.within)
    lines = tuple(
        _line(name, parts[name], differences[name], ends) for name, ends in zip(chosen, limits, strict=True)
    )
    unassigned = table.drop_nulls("improvement").height - measured.height
    return ClinicianOutcomes(expectation, lines, len(sizes) - len(chosen), unassigned, least, variance)


def _line(
    clinician_id: str, finished: pl.DataFrame, difference: Difference, limits: tuple[float, ...]
) -> ClinicianLine:
    unscored = finished["first"].null_count()
    scored_once = finished.height - unscored - difference.clients
    return ClinicianLine(clinician_id, finished.height, difference, limits, unscored, scored_once)


def _difference(table: pl.DataFrame, expectation: Expectation) -> Difference:
    measured = measured_clients(table)
    return expectation.model.difference(measured["improvement"].to_numpy(), expectation.case_mix.design(measured))


def _funnel(differences: Sequence[Difference], within: float) -> tuple[float, list[tuple[float, ...]]]:
    """Give the variance beyond chance, and each clinician's limits on either side of 0."""
    errors = [math.sqrt(within / each.clients) for each in differences]
    variance = variance_beyond_chance([each.difference for each in differences], errors)
    return variance, [_limits(within, each.clients, variance) for each in differences]


def _limits(within: float, clients: float, beyond_chance: float) -> tuple[float, ...]:
    return tuple(two_sided(level) * math.sqrt(within / clients + beyond_chance) for level in LEVELS)


def _clinic_table(store: Store, asked: _Asked, kept: KeptResults | None = None) -> tuple[pl.DataFrame, Period]:
    """Read the case mix of everybody, or give what was kept of it; of all of a record only."""
    if store.user is not None:
        raise AccessDenied(f"{store.user.username} may not learn from all clients of the clinic.")
    return _everybody(kept, asked, lambda: _table(counting_view(store, "clinic outcomes"), *asked))


def _everybody(
    kept: KeptResults | None, asked: _Asked, read: Callable[[], tuple[pl.DataFrame, Period]]
) -> tuple[pl.DataFrame, Period]:
    return read() if kept is None else kept.give(asked, read)


def _table(
    source: Store, instrument: str, scale: str | None, start: dt.date | None, end: dt.date | None
) -> tuple[pl.DataFrame, Period]:
    """Read the case mix of everybody whose care ended; an episode without a clinician has the client's."""
    ended = source.episodes()["ended_on"].drop_nulls().sort()
    if ended.is_empty():
        raise MbcError("No care has ended on record, so there are no finished clients to compare.")
    period = Period(start or ended[0], end or ended[-1])
    frames = record_frames(source, period, load(instrument).key)
    of_client = source.clients().select("client_id", _own="clinician_id")
    frames["episodes"] = (
        frames["episodes"]
        .drop("ending")  # a view for counting leaves it out
        .join(of_client, on="client_id", how="left")
        .with_columns(clinician_id=pl.coalesce("clinician_id", "_own"))
        .drop("_own")
    )
    return case_mix_table(frames, instrument, scale, period), period
