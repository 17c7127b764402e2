"""A small record to import into, and files as people send them."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from mbc.exchange.files import isolated, native_readers, parquet, spss, workbook
from mbc.store import Client, Clinician, Relationship, RelationshipStatus, Store

# After every date in these files: the tests mean the same on any day.
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

Write = Callable[..., Path]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def store() -> Iterator[Store]:
    """Give a small record to write to."""
    yield from _small_record()


@pytest.fixture(scope="module")
def untouched() -> Iterator[Store]:
    """Give a small record that no test of a file may change."""
    yield from _small_record()


def _small_record() -> Iterator[Store]:
    """Two clinicians; C1 (in R1), C2 (left R1, in R2) and C3 (single)."""
    with Store.create("sqlite://") as made:
        with made.writing(by="test") as record:
            record.add_all([Clinician("K1", "Dr. One"), Clinician("K2", "Dr. Two")])
            record.add_all([Client("C1", clinician_id="K1"), Client("C2", clinician_id="K1"), Client("C3")])
            record.add_all([Relationship("C1.R1", "C1", "R1"), Relationship("C2.R1", "C2", "R1")])
            record.add(Relationship("C2.R2", "C2", "R2"))
            record.add_all(
                [
                    RelationshipStatus("C1", "married", date(2020, 1, 1), "C1.R1"),
                    RelationshipStatus("C2", "dating", date(2024, 1, 1), "C2.R1"),
                    RelationshipStatus("C2", "ended", date(2026, 1, 15), "C2.R1"),
                    RelationshipStatus("C2", "dating", date(2026, 3, 1), "C2.R2"),
                    RelationshipStatus("C3", "single", date(2025, 1, 1)),
                ]
            )
        yield made


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file: text (or bytes), its encoding and its name."""

    def make(text: str | bytes, *, encoding: str = "utf-8", name: str = "answers.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return make


@pytest.fixture
def readers_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read workbooks, SPSS and Parquet files in this process.

    A process for each table costs most of the time of a test; tests/exchange/files reads in processes.
    """

    @contextmanager
    def lines(kind: str, path: Path, *arguments: str) -> Generator[Iterator[str]]:
        output, errors = io.StringIO(), io.StringIO()
        with redirect_stdout(output), redirect_stderr(errors):
            status = native_readers.main(["0", kind, str(path), *arguments])
        ended = SimpleNamespace(returncode=status, stderr=io.StringIO(errors.getvalue()))
        isolated._require_good_end(ended, path, timed_out=False)  # pyright: ignore[reportArgumentType]
        yield iter(output.getvalue().splitlines(keepends=True))

    monkeypatch.setattr(native_readers, "limit", lambda _: None)
    monkeypatch.setenv("POLARS_MAX_THREADS", os.environ["POLARS_MAX_THREADS"])  # put back: the reader sets it
    for module in (parquet, spss, workbook):
        monkeypatch.setattr(module, "isolated_lines", lines)


def rses_text(rows: Sequence[tuple[str, str, Sequence[object]]], separator: str = ",") -> str:
    """Client, day and ten answers, as a wide file."""
    header = ["client_id", "date", *(f"rses_{n}" for n in range(1, 11))]
    lines = [header, *([client, day, *answers] for client, day, answers in rows)]
    return "".join(separator.join("" if cell is None else str(cell) for cell in line) + "\n" for line in lines)


@pytest.fixture(name="rses_text")
def rses_text_fixture() -> Callable[..., str]:
    return rses_text
