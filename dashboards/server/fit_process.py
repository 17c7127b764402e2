"""A process of its own in which the clinic's models are fitted, so that no page is slowed by it.

Run by `dashboards.server.model_timer` as ``python -m dashboards.server.fit_process``. What it needs comes on
standard input as JSON, since others on the machine can read arguments; it writes how many models were kept.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import sys
from typing import Any

from mbc.care.forecast.kept_models import make_models
from mbc.errors import MbcError
from mbc.store import Store

_NICENESS = 10  # pages go first


def main() -> int:
    """Make the models that are due; the status is 0, or 1 with one line of what went wrong on standard error."""
    task: dict[str, Any] = json.load(sys.stdin)
    with contextlib.suppress(AttributeError, OSError):  # Windows has none
        os.nice(_NICENESS)
    try:
        with Store.open(task["url"], key=task["key"]) as store:
            day = dt.date.fromisoformat(task["today"])
            kept = sum(was_kept for _, was_kept in make_models(store.from_origin("server"), day))
    except MbcError as fault:
        sys.stderr.write(f"{type(fault).__name__}\n")  # nothing of what is on record
        return 1
    sys.stdout.write(f"{kept}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
