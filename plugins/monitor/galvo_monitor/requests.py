"""ASGI middleware: how long the application's requests take. Names are OpenTelemetry's of HTTP servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from galvo import Metric
from galvo_monitor.panels.layout import HTTP

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
FAILED = 500
"""The status of a request that ended in an exception before it had another."""


class Requests:
    """`app = Requests(app, kernel.record)`. Paths are no attribute: anybody can make up more of them."""

    def __init__(self, app: App, record: Callable[[Metric, float], None]) -> None:
        self._app = app
        self._record = record
        self._metrics: dict[int, Metric] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = FAILED, perf_counter()

        async def told(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            self._record(self._metric(status), perf_counter() - began)

    def _metric(self, status: int) -> Metric:
        if status not in self._metrics:
            attributes = (("http.response.status_code", str(status)),)
            self._metrics[status] = Metric(HTTP, "histogram", "s", attributes)
        return self._metrics[status]
