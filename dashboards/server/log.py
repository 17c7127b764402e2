"""What the server writes to its log: one line an event, as text or JSON, with nothing of anybody in it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

LogFormat = Literal["text", "json"]
_FIELDS = ("status", "method", "page", "kind", "cause", "sqlstate", "place", "reference", "workers", "models")
_OURS = ("mbc", "gunicorn")  # other programs put paths and values into their messages


class Line(logging.Formatter):
    """A line of the log.

    Parameters
    ----------
    kind : {"text", "json"}
        How it is written.
    debug : bool
        Add tracebacks and the words of other programs: they may hold what is on record.
    """

    def __init__(self, kind: LogFormat, *, debug: bool = False) -> None:
        super().__init__()
        self._json = kind == "json"
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """Write one event."""
        fields = self._fields(record)
        if self._json:
            return json.dumps(fields)
        time, level, process, event = (fields.pop(name) for name in ("time", "level", "process", "event"))
        traceback = fields.pop("traceback", None)
        rest = "".join(f" {name}={value}" for name, value in fields.items())
        line = f"{time} {level} [{process}] {event}{rest}"
        return line if traceback is None else f"{line}\n{traceback}"

    def _fields(self, record: logging.LogRecord) -> dict[str, object]:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: dict[str, object] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": record.process,
            "event": self._event(record),
        }
        named = ((name, getattr(record, name, None)) for name in _FIELDS)
        fields |= {name: value for name, value in named if value is not None}
        if record.exc_info and record.exc_info[0] is not None:
            fields.setdefault("kind", record.exc_info[0].__name__)
            if self._debug:
                fields["traceback"] = self.formatException(record.exc_info)
        return fields

    def _event(self, record: logging.LogRecord) -> str:
        if self._debug or record.name.partition(".")[0] in _OURS:
            return " ".join(record.getMessage().split())
        return f"{record.name} reported a problem"


def set_up_log(kind: LogFormat, *, debug: bool = False) -> None:
    """Write the log of this process, and of those it starts, to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line(kind, debug=debug))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("mbc").setLevel(logging.INFO)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # it would report every busy second
