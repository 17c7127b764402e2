"""Tables of a cohort as analyses read them: scores over weeks, first and last scores, keyed answers."""

from __future__ import annotations

import polars as pl

from mbc.care.cohort.deidentified import SELF, Cohort
from mbc.errors import FrameError
from mbc.exchange import import_record
from mbc.instruments import instrument as load
from mbc.instruments import keyed_items
from mbc.simulate import clinic
from mbc.store import Store

CLIENT = "client"  # informant
_WEEK = 7


def scores_over_time(cohort: Cohort, instrument: str, scale: str | None = None) -> pl.DataFrame:
    """Give the scores of one scale over weeks since the first contact, one row per occasion.

    Parameters
    ----------
    cohort : Cohort
    instrument : str
        Key of the questionnaire.
    scale : str, optional
        Key of the scale; the main one by default.

    Returns
    -------
    polars.DataFrame
        study_id, therapist, ending, episode, week, target, score. Answers of others about the person are left out.

    Examples
    --------
    >>> cohort = simulated_cohort(clients=12, clinicians=2)
    >>> scores_over_time(cohort, "rses").columns
    ['study_id', 'therapist', 'ending', 'episode', 'week', 'target', 'score']
    """
    known = load(instrument)
    rows = cohort.scores.filter(
        pl.col("instrument") == known.key,
        pl.col("scale") == known.scale(scale).key,
        pl.col("informant") == CLIENT,
    ).drop_nulls("score")
    people = cohort.people.select("study_id", "therapist", "ending")
    week = (pl.col("day") / _WEEK).alias("week")
    joined = rows.join(people, on="study_id", how="left").with_columns(week)
    return joined.select("study_id", "therapist", "ending", "episode", "week", "target", "score").sort(
        "study_id", "week"
    )


def first_and_last(cohort: Cohort, instrument: str, scale: str | None = None) -> pl.DataFrame:
    """Pair the first and the last score of each person's latest episode, about one relationship.

    Returns
    -------
    polars.DataFrame
        study_id, therapist, ending, pre, post, weeks between, occasions; people with one occasion are left out.
    """
    rows = scores_over_time(cohort, instrument, scale)
    if load(instrument).applicability.needs_relationship:
        rows = rows.filter(pl.col("target") == pl.col("target").last().over("study_id"))
    else:
        rows = rows.filter(pl.col("target") == SELF)
    latest = rows.filter(pl.col("episode").fill_null(1) == pl.col("episode").fill_null(1).max().over("study_id"))
    score, week = pl.col("score"), pl.col("week")
    pairs = latest.group_by("study_id", "therapist", "ending", maintain_order=True).agg(
        score.first().alias("pre"), score.last().alias("post"), (week.last() - week.first()).alias("weeks"),
        pl.len().alias("occasions"),
    )  # fmt: skip
    return pairs.filter(pl.col("occasions") > 1)


def keyed_answers(cohort: Cohort, instrument: str, scale: str | None = None) -> pl.DataFrame:
    """Give item answers that all point the same way, whatever item order and coding they were given in.

    Returns
    -------
    polars.DataFrame
        study_id, day, and a column for each item of the scale, in the questionnaire's own coding.

    Raises
    ------
    FrameError
        If the cohort has no item answers of this questionnaire.
    """
    if instrument not in cohort.items:
        held = f" Withheld: {', '.join(cohort.withheld)}." if instrument in cohort.withheld else ""
        raise FrameError(
            f"The cohort has no item answers of {instrument}; it has {', '.join(cohort.items)}.{held}"
        )
    answers = cohort.items[instrument].filter(pl.col("informant") == CLIENT)
    parts: list[pl.DataFrame] = []
    for (form, coding), group in answers.group_by("form", "coding", maintain_order=True):
        keyed = keyed_items(group, instrument, scale=scale, form=_text(form), coding=_text(coding))
        parts.append(keyed.select("study_id", "day", pl.selectors.starts_with(f"{instrument}_keyed_")))
    return pl.concat(parts).sort("study_id", "day")


def simulated_cohort(
    *, clients: int = 150, clinicians: int = 6, weeks: int = 35, seed: int = 1, alliance: bool = False
) -> Cohort:
    """Make the cohort of a synthetic clinic, for teaching and for trying analyses out. Nobody in it exists.

    Parameters
    ----------
    clients, clinicians, weeks, seed, alliance
        As for `mbc.simulate.clinic`.
    """
    from tempfile import TemporaryDirectory  # noqa: PLC0415 - here alone

    from mbc.care.cohort.deidentified import deidentified_cohort  # noqa: PLC0415

    made = clinic(clients=clients, clinicians=clinicians, weeks=weeks, seed=seed, alliance=alliance, stories=False)
    with TemporaryDirectory() as home, Store.create("sqlite://") as store:
        import_record(made.write(home), store)
        return deidentified_cohort(store)[0]


def _text(value: object) -> str | None:
    return None if value is None else str(value)
