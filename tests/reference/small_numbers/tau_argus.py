"""What Tau-Argus finds that each published count could be: ``python tau_argus.py > tau_argus.json``.

Needs ``pytauargus`` of PyPI (0.6.0 was used; EUPL-1.2, and no part of this project) beside the project's own
environment, and the project's root in PYTHONPATH. Its audit takes a table as cells with bounds and as sums (the
JJ format), and finds by linear programming how low and how high each cell could be. Here every count is such a
cell, with the bounds that its published value leaves; a part that is at most its total comes with the rest.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import tempfile
from pathlib import Path

import numpy as np
from scipy import optimize

from tests.reference.small_numbers.make_tables import Case, cases

MOST = 100_000  # instead of no bound at all


def audit(case: Case) -> dict[str, list[float]]:
    """Give the lowest and highest value of each count that is published or named by a relation."""
    names = list(case.shown)
    bounds = [case.shown[name].possible(case.rule) for name in names]
    sums: list[dict[int, int]] = []
    for relation in case.relations:
        if not {relation.total, *relation.parts} <= case.shown.keys():
            continue
        terms = {names.index(relation.total): -1} | {names.index(part): 1 for part in relation.parts}
        if not relation.exact:
            terms[len(bounds)] = 1
            bounds.append((0, np.inf))
        sums.append(terms)
    values = possible_counts(case, names, bounds, sums)
    lines = ["0", str(len(bounds))]
    for place, ((low, high), value) in enumerate(zip(bounds, values, strict=True)):
        status = "s" if low == high else "m"
        lines.append(f"{place} {value} 1 {status} {low:.0f} {min(high, MOST):.0f} 0 0 0")
    lines.append(str(len(sums)))
    for terms in sums:
        factors = " ".join(f"{place} ({factor})" for place, factor in terms.items())
        lines.append(f"0 {len(terms)} : {factors}")
    engine = importlib.import_module("pytauargus._tauargus")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.jj"
        file.write_text("\n".join(lines) + "\n")
        rows = engine.audit_jj(str(file))
    found = {names[row["cell"]]: [row["min"], row["max"]] for row in rows if row["cell"] < len(names)}
    fixed = {
        name: [float(low), float(high)] for name, (low, high) in zip(names, bounds, strict=False) if low == high
    }
    return fixed | found


def possible_counts(case: Case, names: list[str], bounds: list[tuple[float, float]], sums: list[dict[int, int]]):
    """Give the true counts, with values of those that are counted nowhere."""
    low, high = (np.array(each, dtype=float) for each in zip(*bounds, strict=True))
    for place, name in enumerate(names):
        if name in case.counts:
            low[place] = high[place] = case.counts[name]
    rows = np.zeros((len(sums), len(bounds)))
    for row, terms in zip(rows, sums, strict=True):
        row[list(terms)] = list(terms.values())
    made = optimize.linprog(np.zeros(len(bounds)), A_eq=rows, b_eq=np.zeros(len(rows)),
                            bounds=list(zip(low, high, strict=True)), integrality=1)  # fmt: skip
    return np.rint(made.x).astype(int).tolist()


print(
    json.dumps(
        {
            "program": f"pytauargus {importlib.metadata.version('pytauargus')}",
            "none": MOST,
            "cases": {
                case.name: {
                    "shown": {name: [cell.rounded, cell.small] for name, cell in case.shown.items()},
                    "audit": audit(case),
                }
                for case in cases()
            },
        },
        separators=(",", ":"),
    )
)
