"""Which columns a scored record has."""

from __future__ import annotations

import polars as pl

HEAD = (
    "administration_id",
    "client_id",
    "instrument",
    "target",
    "informant",
    "taken_on",
    "session_number",
)  # what answers and totals share

SCORED = pl.DataFrame(
    schema={
        "client_id": pl.String,
        "administration_id": pl.Int64,
        "instrument": pl.String,
        "scale": pl.String,
        "target": pl.String,
        "informant": pl.String,
        "taken_on": pl.Date,
        "session_number": pl.Int64,
        "score": pl.Float64,
        "answered": pl.Int64,
        "items": pl.Int64,
        "prorated": pl.Boolean,
        "band": pl.String,
        "maximum": pl.Float64,
        "recorded": pl.Boolean,
    }
)
