"""How long work shows how far it is: a bar at a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def working() -> Iterator[Callable[[str, float | None], None]]:
    """Give a function that reports what is being done, and how much of it (0 to 1; None where not known)."""
    from rich.console import Console  # noqa: PLC0415 - loaded when it is needed
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from mbc.store.database import encryption_keys as keys  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<12}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("", total=None)

    def report(what: str, part: float | None) -> None:
        bar.start()
        bar.update(task, description=what, total=None if part is None else 1.0, completed=part or 0.0)

    @contextmanager
    def still() -> Iterator[None]:  # a bar that moves would write over a question
        bar.stop()
        yield

    before = keys.around_question.set(still)
    try:
        yield report
    finally:
        keys.around_question.reset(before)
        bar.stop()
