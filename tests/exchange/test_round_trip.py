"""What goes in comes out: any answers, however they are written down."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mbc.exchange import plan_import
from mbc.instruments import instrument
from mbc.store import Client, Store

pytestmark = pytest.mark.long

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEYS = ("rses", "gad7", "csi4", "ecr_s")


@st.composite
def records(draw) -> pl.DataFrame:
    """One row per answer of a few administrations; each has at least one answer that is not blank."""
    occasions = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["C1", "C2", "C-3.x"]),
                st.sampled_from(KEYS),
                st.dates(date(1900, 1, 1), date(2026, 5, 31)),
            ),
            min_size=1,
            max_size=6,
            unique=True,
        )
    )
    rows = []
    for client, key, day in occasions:
        one = instrument(key)
        ranges = [one.coding().accepted(item) for item in one.items]
        answers = [draw(st.none() | st.integers(*span)) for span in ranges]
        if all(answer is None for answer in answers):
            answers[0] = ranges[0][0]
        rows += [(client, key, day, n, answer) for n, answer in enumerate(answers, start=1)]
    schema = {
        "client_id": pl.String,
        "instrument": pl.String,
        "taken_on": pl.Date,
        "item": pl.Int64,
        "value": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").sort("client_id", "taken_on", "instrument", "item")


def written(value: float | None, *, comma: bool) -> str:
    if value is None:
        return ""
    return f"{value:.1f}".replace(".", ",") if comma else f"{value:g}"


def as_long(frame: pl.DataFrame, separator: str, day: str, *, comma: bool) -> str:
    lines = [separator.join(["client", "date", "instrument", "item", "value"])]
    for client, key, on, item, value in frame.iter_rows():
        lines.append(separator.join([client, on.strftime(day), key, str(item), written(value, comma=comma)]))
    return "\n".join(lines) + "\n"


def as_wide(frame: pl.DataFrame, separator: str, day: str, *, comma: bool) -> str:
    columns = [column for key in KEYS for column in instrument(key).item_columns()]
    lines = [separator.join(["client", "date", *columns])]
    for (client, on, key), part in frame.group_by("client_id", "taken_on", "instrument", maintain_order=True):
        cells = dict(zip(instrument(str(key)).item_columns(), part["value"], strict=True))
        texts = [written(cells.get(column), comma=comma) for column in columns]
        lines.append(separator.join([str(client), on.strftime(day), *texts]))  # pyright: ignore[reportAttributeAccessIssue]
    return "\r\n".join(lines) + "\r\n"


@settings(
    max_examples=settings().max_examples // 2,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    frame=records(),
    layout=st.sampled_from([as_long, as_wide]),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    day=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d"]),
)
def test_answers_come_back_as_they_were_written(tmp_path, frame, layout, separator, encoding, day):
    path = tmp_path / "answers.csv"
    path.write_bytes(layout(frame, separator, day, comma=separator != ",").encode(encoding))
    with Store.create("sqlite://") as store:
        with store.writing() as record:
            record.add_all(Client(client) for client in ("C1", "C2", "C-3.x"))
        done = plan_import(path, store, now=NOW).apply(store)
        assert done.counts["stored"] == frame.select("client_id", "instrument", "taken_on").n_unique()
        assert done.counts["refused"] == 0
        kept = store.answers().select(frame.columns).sort("client_id", "taken_on", "instrument", "item")
        assert kept.equals(frame)
        again = plan_import(path, store, now=NOW)
        assert again.counts["duplicate"] == len(again.administrations)
