"""The page inside of an application that has a kernel."""

from __future__ import annotations

from collections.abc import Collection

import anyio
from starlette.applications import Starlette

from galvo import Kernel
from galvo_monitor.hosts import LOOPBACK
from galvo_monitor.page.app import create_app
from galvo_monitor.page.auth import Auth
from galvo_monitor.page.source import Past, Source
from galvo_monitor.view import View

PAUSE = 0.5
"""Seconds between two looks for a monitor that does not run."""


class Late:
    """The kernel's monitor, looked up every time: the kernel may start later, and the plugin may be reloaded."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def view(self) -> View | None:
        source = self._source()
        return source.view() if source else None

    def past(self, series: str, start: float, end: float, points: int) -> Past | None:
        source = self._source()
        return source.past(series, start, end, points) if source else None

    async def wait(self, after: float) -> View:
        while (source := self._source()) is None:  # noqa: ASYNC110  # nothing tells that it has started
            await anyio.sleep(PAUSE)
        return await source.wait(after)

    def _source(self) -> Source | None:
        found: Source | None = self._kernel.find_capability("monitor")
        return found


def mounted(
    kernel: Kernel,
    *,
    auth: Auth | None = None,
    token: str | None = None,
    public: bool = False,
    hosts: Collection[str] = LOOPBACK,
) -> Starlette:
    """`app.mount("/monitor", mounted(kernel, auth=is_admin, hosts=("shop.example",)))`; see `create_app`."""
    return create_app(Late(kernel), auth=auth, token=token, public=public, hosts=hosts)
