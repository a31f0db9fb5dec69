"""`/metrics` inside of an application that has a kernel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import Any, Protocol, runtime_checkable

from anyio import from_thread

from galvo import Kernel
from galvo_monitor.cells import Snapshot
from galvo_monitor.export.scrape import Metrics
from galvo_monitor.hosts import LOOPBACK


@runtime_checkable
class Recorded(Protocol):
    """The capability `monitor`."""

    def snapshot(self) -> Snapshot: ...

    @property
    def shared(self) -> Callable[[], Coroutine[Any, Any, Snapshot | None]] | None: ...


def metrics(
    kernel: Kernel, *, token: str | None = None, public: bool = False, hosts: Collection[str] = LOOPBACK
) -> Metrics:
    """`Route("/metrics", metrics(kernel, token="..."))`; see `Metrics`. The kernel may start later.

    Of processes that share their numbers it has everybody's, so that it does not matter which of them is asked.
    """

    def read() -> Snapshot | None:
        monitor = kernel.find_capability("monitor")
        if not isinstance(monitor, Recorded):
            return None
        return monitor.snapshot() if monitor.shared is None else from_thread.run(monitor.shared)

    return Metrics(read, token=token, public=public, hosts=hosts)
