"""How often is an order found where there is none: python false_orders.py > false_orders.json."""

from __future__ import annotations

import json

from make_data import series

from mbc import models

RUNS = 200
COLUMNS = {"client": "client", "time": "session", "x": "esteem", "y": "satisfaction"}


def rate(sessions: int, detrend: str, trends: float) -> float:
    """Share of runs without any effect whose 95 % interval leaves zero out; 100 clients."""
    found = 0
    for seed in range(RUNS):
        rows = series(100, sessions, effect=0.0, trends=trends, seed=seed)
        found += models.lagged_effects(rows, **COLUMNS, detrend=detrend, samples=200, seed=seed).forward.found
    return found / RUNS


if __name__ == "__main__":
    made = [
        {"sessions": sessions, "detrend": detrend, "trends": trends, "found": rate(sessions, detrend, trends)}
        for trends in (0.0, 0.15)
        for sessions in (8, 12, 20)
        for detrend in ("own", "level")
    ]
    print(json.dumps({"runs": RUNS, "clients": 100, "cases": made}, indent=1))
