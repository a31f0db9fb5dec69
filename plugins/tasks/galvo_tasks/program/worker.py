"""Celery's worker, with one banner of a few lines and an end that an operator expects."""

from __future__ import annotations

from typing import Any

from billiard import pool as billiard
from celery.apps.worker import Worker as CeleryWorker

from galvo_tasks.program.endings import Endings
from galvo_tasks.program.logs import allow_root, plain, quiet
from galvo_tasks.program.pool import TaskPool

CREDIT = 20
"""Tenths of a second that a process which ends waits until its last result is known to be read. billiard would wait
half a minute, and sometimes for nothing: what it has written is read whether it waits or not."""


class Worker(CeleryWorker):
    """`banner`: what it says once it starts; `verbose`: it logs each task's begin and end."""

    banner = ""
    verbose = False
    pool_cls: Any

    def on_before_init(self, quiet: bool = False, **options: Any) -> None:
        self.verbose = bool(options.get("verbose"))
        allow_root()
        plain(self.app)
        billiard.GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT = CREDIT
        super().on_before_init(quiet=quiet, **options)

    def prepare_args(self, **kwargs: Any) -> dict[str, Any]:
        if self.pool_cls == "prefork":
            self.pool_cls = TaskPool
        return super().prepare_args(**kwargs)

    def on_init_blueprint(self) -> None:
        super().on_init_blueprint()
        quiet(verbose=self.verbose)

    def emit_banner(self) -> None:
        print(self.banner, flush=True)  # noqa: T201 — said once, to whoever started it

    def install_platform_tweaks(self, worker: Any) -> None:
        """Celery's own handlers take a second SIGTERM for nothing, and begin anew on SIGHUP."""
        self._endings = Endings(self)
        self._endings.install()

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        hub.add_reader(self._endings.woken, self._endings.drain)

    def set_process_status(self, info: str) -> None:
        """Celery's would name the whole command line, with whatever is in it."""
