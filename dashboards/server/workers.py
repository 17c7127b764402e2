"""Several processes behind one address: gunicorn starts, watches, replaces and stops them; each reads as one does.

Gunicorn's own workers give a thread to each connection that sends slowly. So its process manager is used, and the
loop of `dashboards.server.connections` inside each worker: the same limits hold with one process and with several.
"""

from __future__ import annotations

import logging
import mmap
import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from dashboards.server.connections import make_server
from dashboards.server.run import Serving

_HUNG_SECONDS = 120  # without a sign of life from its loop, a worker is replaced
_MOST_STARTS = 65_536  # places for signs of workers that are ready, by their number
_LOG = logging.getLogger("mbc.server")


def run_workers(serving: Serving, workers: int, *, ready: Callable[[], None]) -> None:
    """Run worker processes until stopped (SIGTERM, Ctrl-C); SIGHUP replaces them one by one, nobody is refused.

    Parameters
    ----------
    serving : Serving
        What is served, and where.
    workers : int
        How many processes.
    ready : callable
        Called once visitors can come in; the first worker answers them as soon as it has opened the record.
    """
    # a process that is copied while threads run may inherit their locks for ever
    if threading.active_count() > 1:
        raise RuntimeError("worker processes must be started before any thread")
    manager = _Manager(serving, workers, ready)
    serving.listening.close()  # gunicorn has its own handle: the address is free as soon as it lets go
    manager.run()


class _Manager(BaseApplication):
    """The process that starts the others; it never opens the record."""

    def __init__(self, serving: Serving, workers: int, ready: Callable[[], None]) -> None:
        self.serving = serving
        self._workers = workers
        self._ready = ready
        self.signs = mmap.mmap(-1, _MOST_STARTS)  # shared with the workers: which of them answer visitors
        super().__init__()

    def load_config(self) -> None:
        """Set what gunicorn is to do."""
        settings: dict[str, Any] = {
            "bind": f"fd://{os.dup(self.serving.listening.fileno())}",
            "workers": self._workers,
            "worker_class": PatientWorker,
            "logger_class": _Log,
            "timeout": _HUNG_SECONDS,
            "graceful_timeout": round(self.serving.limits.stop_seconds) + 5,
            "control_socket_disable": True,
            "preload_app": False,  # what polars and the models run in threads would not survive the copying
            "proc_name": "mbc serve",
        }
        for name, value in settings.items():
            self.cfg.set(name, value)
        self.cfg.set("when_ready", lambda _: self._ready())

    def load(self) -> Any:
        """Hand each worker what it needs to make its own application."""
        return self

    def run(self) -> None:
        """Start and watch the workers."""
        PatientArbiter(self).run()

    def reload(self) -> None:
        """Keep the settings: a reload replaces the workers, and nothing else."""


class PatientArbiter(Arbiter):
    """Gunicorn's manager, which lets an old worker go only when the one in its place answers."""

    def manage_workers(self) -> None:
        """Start what is missing, and let go what was replaced."""
        if len(self.WORKERS) < self.num_workers:
            self.spawn_workers()
        self._let_go()

    def reap_workers(self) -> None:
        """Notice workers that have ended; gunicorn asks often while it reloads."""
        super().reap_workers()
        self._let_go()

    def _let_go(self) -> None:
        signs = cast("Any", self.app).signs
        workers: list[Any] = sorted(self.WORKERS.values(), key=lambda worker: worker.age)
        answering = [worker for worker in workers if signs[worker.age % _MOST_STARTS]]
        surplus = max(0, len(answering) - self.num_workers)
        for worker in answering[:surplus]:
            signs[worker.age % _MOST_STARTS] = 0
            self.kill_worker(worker.pid, signal.SIGTERM)


class PatientWorker(Worker):
    """A worker that reads as `dashboards.server.connections` does."""

    def run(self) -> None:
        """Serve until gunicorn says stop, or is gone."""
        from dashboards.server.model_timer import making_models  # noqa: PLC0415 - see `dashboards.server.preparation`
        from dashboards.server.notice_timer import sending_notices  # noqa: PLC0415

        manager = cast("_Manager", self.wsgi)
        serving = manager.serving
        with ExitStack() as opened:
            app = opened.enter_context(serving.open_app())
            server = make_server(
                app.server, cast("Any", self.sockets[0]).sock, serving.limits, proxy=serving.proxy
            )
            opened.enter_context(making_models(app))
            opened.enter_context(sending_notices(app))
            manager.signs[self.age % _MOST_STARTS] = 1
            _LOG.info("worker started")
            server.run_until(lambda: not self.alive or os.getppid() != self.ppid, beat=self.notify)
        _LOG.info("worker stopped")


class _Log(Logger):
    """Gunicorn's messages, among ours: no lines for requests, no formats of its own."""

    def setup(self, cfg: Any) -> None:
        """Send everything to the handlers that the command set up."""
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.setLevel(logging.WARNING)
        self.error_log.propagate = True
        self.access_log.disabled = True

    def reopen_files(self) -> None:
        """There are no files: the log goes to standard error."""

    def close_on_exec(self) -> None:
        """There are no files to close."""
