"""Compute every figure of a release again, from its published counts.

Needs Python 3.11 or later and nothing else. It reads `release.json` and `figures.csv` beside it, checks their
hashes, computes each percentage, limit, worst and best case, band and hidden mark from the published counts, and
compares them with the release. Means are published data: no count gives them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import sys
from pathlib import Path
from typing import Any

QUANTILE = 1.959963984540054  # of the normal distribution, at 0.975
COLUMNS = ("count", "of", "percent", "lower", "upper", "worst", "best", "hidden")
LEAST_FOR_BAND = 20


def wilson(count: int, of: int) -> tuple[float, float]:
    """Give Wilson's 95 % limits of a share (1927)."""
    share, square = count / of, QUANTILE**2 / of
    middle = (share + square / 2) / (1 + square)
    half = QUANTILE * math.sqrt(share * (1 - share) / of + square / (4 * of)) / (1 + square)
    return max(0.0, middle - half), min(1.0, middle + half)


def rate(figure: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    """Compute a rate from the counts it names."""
    count, of = counts[figure["count_of"]]["rounded"], counts[figure["group_count"]]["rounded"]
    if count is None or of is None:
        return {"hidden": True}
    made: dict[str, Any] = {"count": count, "of": of, "hidden": False}
    if of == 0 or figure["only_count"]:
        return made
    counted = min(count, of)
    low, high = wilson(counted, of)
    made |= {"percent": round(100 * counted / of), "lower": round(100 * low), "upper": round(100 * high)}
    unknown = counts[figure["unknown_count"]]["rounded"] if figure["unknown_count"] in counts else None
    if unknown is not None:
        everybody = of + unknown if figure["adds_unknown"] else of
        certain = counted if figure["certain"] else max(0, counted - unknown)
        made["worst"] = round(100 * certain / everybody)
        made["best"] = round(100 * min(counted + unknown, everybody) / everybody)
    return made


def band(figure: dict[str, Any], counts: dict[str, Any], smallest: int) -> dict[str, Any]:
    """Compute a band of completeness from the counts it names."""
    of, missing = (counts.get(figure[name]) for name in ("group_count", "unknown_count"))
    if of is None or missing is None or of["rounded"] is None or of["rounded"] < LEAST_FOR_BAND:
        return {"hidden": True}
    most = missing["rounded"]
    lowest = max(smallest, of["rounded"] - smallest // 2)
    if most is None and missing["small"] and smallest - 1 <= lowest / 10:
        most = 0
    if most is None:
        return {"hidden": True}
    complete = 100 * (1 - min(most, of["rounded"]) / of["rounded"])
    value = "over 90 %" if complete >= 90 else "80 to 90 %" if complete >= 80 else "under 80 %"
    return {"hidden": False, "value": value}


def reports_of(release: dict[str, Any]) -> list[dict[str, Any]]:
    """Give every report of a release, those of single groups of clients last."""
    return [*release["reports"], *release.get("strata", [])]


def differences(release: dict[str, Any]) -> tuple[int, list[str]]:
    """Count the figures of a release that were computed again, and name those that differ."""
    compared = 0
    wrong: list[str] = []
    for report in reports_of(release):
        for figure in report["figures"]:
            if figure["unit"] != "percent":
                continue
            if figure["completeness"]:
                made = band(figure, report["counts"], report["smallest"])
                names: tuple[str, ...] = ("value", "hidden")
            else:
                made, names = rate(figure, report["counts"]), COLUMNS
            compared += len(names)
            place = f"{report['definition']}, {figure['metric']}"
            wrong += [
                f"{place}: {name} is {figure[name]} but is recomputed as {made.get(name)}"
                for name in names
                if figure[name] != made.get(name)
            ]
    return compared, wrong


def table_differences(release: dict[str, Any], rows: list[dict[str, str]]) -> list[str]:
    """Name the cells of the table that differ from the release."""
    figures = [(report["definition"], figure) for report in reports_of(release) for figure in report["figures"]]
    if len(figures) != len(rows):
        return [f"figures.csv has {len(rows)} rows for {len(figures)} figures"]
    return [
        f"figures.csv, {definition}, {figure['metric']}: {name} is {row[name]!r}"
        for (definition, figure), row in zip(figures, rows, strict=True)
        for name in ("metric", *COLUMNS, "value")
        if row[name] != ("" if figure[name] is None else str(figure[name]))
    ]


def main(folder: Path) -> int:
    """Check, compute and compare; give 0 where everything agrees."""
    wrong: list[str] = []
    for line in (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split("  ", 1)
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest:
            wrong.append(f"{name} is not the original file of the pack")
    release = json.loads((folder / "release.json").read_text(encoding="utf-8"))
    with (folder / "figures.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    compared, different = differences(release)
    wrong += different + table_differences(release, rows)
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    sys.stdout.write(f"{compared} numbers computed again, {len(wrong)} differences.\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent))
