"""A folder of a synthetic twin: made from a cohort's folder, measured, and written as a cohort is."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mbc.care.cohort.deidentified import Cohort
from mbc.care.cohort.files import TWIN_REPORT, SyntheticNote, read_cohort, write_cohort
from mbc.care.cohort.other_formats import CohortFormat
from mbc.care.cohort.twin.attacks_on_twin import measure_disclosure
from mbc.care.cohort.twin.fit_cohort import LEAST_PEOPLE
from mbc.care.cohort.twin.synthetic_twin import Twin, synthetic_twin
from mbc.care.cohort.twin.utility import ENOUGH, measure_utility
from mbc.care.words import count, join_list
from mbc.errors import MbcError

_FORMATS: Mapping[CohortFormat, str] = {"parquet": "people.parquet", "spss": "people.sav"}
_COHORT_FILES = ("*.csv", "*.parquet", "*.sav", "codebook.json", "README.md", TWIN_REPORT)


@dataclass(frozen=True, slots=True)
class TwinFolder:
    """What was written."""

    twin: Twin
    lines: tuple[str, ...]  # what was measured, in sentences
    report: Mapping[str, object]


def make_twin(cohort_folder: Path, target: Path, *, seed: int = 1, replace: bool = False) -> TwinFolder:
    """Make the synthetic twin of a cohort's folder.

    Parameters
    ----------
    cohort_folder : Path
        That `mbc deidentify` wrote. It is only read.
    target : Path
        The twin's folder, for its owner alone. It gets CSV files, and Parquet and SPSS where the cohort has them.
    seed : int
        The same cohort and seed give the same twin.
    replace : bool
        Whether a twin that is there already may be replaced; nothing else ever is.

    Raises
    ------
    MbcError
        If the folder is not a cohort, or is a twin itself; if it has too few people; if the target holds
        something else.
    """
    _check_target(cohort_folder, target, replace=replace)
    cohort = _read(cohort_folder)
    twin = synthetic_twin(cohort, seed=seed)
    report = measure_twin(cohort, twin)
    lines = describe_twin(report)
    formats: list[CohortFormat] = [kind for kind, name in _FORMATS.items() if (cohort_folder / name).is_file()]
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as staging:
        made = Path(staging) / "twin"
        write_cohort(twin.cohort, made, formats=formats, synthetic=SyntheticNote(lines, report))
        replaced = Path(staging) / "replaced"
        if target.exists():
            target.rename(replaced)
        try:
            made.rename(target)
        except OSError:
            if replaced.exists():
                replaced.rename(target)
            raise
    return TwinFolder(twin, lines, report)


def _check_target(cohort_folder: Path, target: Path, *, replace: bool) -> None:
    source, place = cohort_folder.resolve(), target.resolve()
    if place == source or source in place.parents or place in source.parents:
        raise MbcError(
            f"The twin's folder {target} and the cohort's folder {cohort_folder} must not contain each other; "
            "nothing was written."
        )
    if not target.exists():
        return
    if not target.is_dir():
        raise MbcError(f"{target} is a file; nothing was written. Name a new folder.")
    names = {path.name for path in target.iterdir()}
    if not names:
        return
    known = {path.name for pattern in _COHORT_FILES for path in target.glob(pattern)}
    if TWIN_REPORT not in names or names - known:
        raise MbcError(
            f"The folder {target} contains something other than a twin; nothing was written. Name a new folder."
        )
    if not replace:
        raise MbcError(f"The folder {target} already contains a twin; nothing was written. --force replaces it.")


def _read(folder: Path) -> Cohort:
    if (folder / TWIN_REPORT).exists():
        raise MbcError(f"{folder} is a synthetic twin itself. Fit the cohort that it was made from.")
    try:
        return read_cohort(folder)
    except MbcError:
        raise
    except Exception as fault:
        raise MbcError(
            f"{folder} cannot be read as a cohort folder ({type(fault).__name__}): a table does not fit "
            "codebook.json. Write the cohort again with 'mbc deidentify'."
        ) from fault


def measure_twin(cohort: Cohort, twin: Twin) -> dict[str, object]:
    """Measure what a twin is good for and what it gives away: the content of twin.json."""
    fit = twin.fit
    return {
        "synthetic": True,
        "people": fit.people,
        "seed": twin.seed,
        "k": fit.k,
        "least_people": max(LEAST_PEOPLE, 8 * fit.k),
        "left_out": {
            what: f"fewer than {fit.k}" if what.startswith("people") and number < fit.k else number
            for what, number in fit.left_out.items()
        },
        "utility": measure_utility(cohort, twin.cohort, fit.k),
        "disclosure": measure_disclosure(cohort, twin),
    }


def describe_twin(report: Mapping[str, object]) -> tuple[str, ...]:
    """Say what was measured, a sentence for each."""
    values = cast("Any", report)
    utility, attack = values["utility"], values["disclosure"]
    scales: list[dict[str, Any]] = [row for row in utility["scales"] if row["in_twin"] and row["people"] >= ENOUGH]
    k, left_out = values["k"], "rarer values are pooled or left out"
    lines = [
        f"Synthetic: drawn from figures based on at least {k} people each; {left_out}.",
        *(f"Left out: {what}: {number}." for what, number in values["left_out"].items()),
    ]
    if scales:
        moved = max(abs(row["mean_moved_sd"]) for row in scales)
        slope = max(abs(row["slope_moved_sd"]) for row in scales)
        ratios = [row["sd_ratio"] for row in scales]
        lines.append(
            f"Utility, over the {count(len(scales), 'scale', 'scales')} that {ENOUGH} people or more have: means "
            f"at most {moved:.2f} standard deviations away, standard deviations {min(ratios):.2f} to "
            f"{max(ratios):.2f} times the cohort's, slopes at most {slope:.2f} of them per log week."
        )
    correlations = utility["correlations"]
    if correlations["compared"]:
        lines.append(
            f"Correlations between scales differ by {correlations['mean_absolute_difference']:.2f} on average, "
            f"{correlations['largest']:.2f} at most."
        )
    return (*lines, *_describe_attacks(attack))


def _describe_attacks(attack: Any) -> list[str]:
    equal, nearest, member = attack["equal_rows"], attack["nearest_record"], attack["membership"]
    low, high = member["interval_95"]
    columns = join_list(equal["columns"])
    near, within = nearest["twin_to_cohort"]["median"], nearest["within_cohort"]["median"]
    rows = (
        f"Equal rows: {equal['share_in_cohort']:.0%} of the twin's people have the {columns} of somebody in the "
        f"cohort; of two independent twins it is {equal['share_in_independent_twin']:.0%}."
    )
    distances = (
        f"Nearest record: the median distance from the twin to the cohort is {near:.2f}, within the "
        f"cohort {within:.2f}; copies: {nearest['copies']}."
    )
    membership = (
        "Membership: somebody who has a person's record and asks whether it was in the fit has an area under the "
        f"curve of {member['area_under_curve']:.2f} (95 % interval {low:.2f} to {high:.2f}); 0.5 is guessing."
    )
    return [rows, distances, membership]
