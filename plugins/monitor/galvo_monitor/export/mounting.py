"""`/metrics` inside of an application that has a kernel."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from galvo import Kernel
from galvo_monitor.cells import Snapshot
from galvo_monitor.export.scrape import LOOPBACK, Metrics


@runtime_checkable
class Recorded(Protocol):
    """The capability `monitor`."""

    def snapshot(self) -> Snapshot: ...


def metrics(
    kernel: Kernel, *, token: str | None = None, public: bool = False, hosts: Collection[str] = LOOPBACK
) -> Metrics:
    """`Route("/metrics", metrics(kernel, token="..."))`; see `Metrics`. The kernel may start later."""

    def read() -> Snapshot | None:
        monitor = kernel.find_capability("monitor")
        return monitor.snapshot() if isinstance(monitor, Recorded) else None

    return Metrics(read, token=token, public=public, hosts=hosts)
