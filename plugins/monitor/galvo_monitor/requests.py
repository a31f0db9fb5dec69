"""ASGI middleware: how long the application's requests take. Names are OpenTelemetry's of HTTP servers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from anyio import get_cancelled_exc_class

from galvo import Metric
from galvo_monitor.panels.layout import HTTP

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
FAILED, GONE = 500, 499
"""The status of a request that ended in an exception before it had another: the application's, or, as nginx calls it,
because the client did not wait for the response."""
EVENTS = b"text/event-stream"


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
        request = _Request(receive, send)
        try:
            await self._app(scope, request.receive, request.send)
        except BaseException as error:
            gone = request.gone or isinstance(error, get_cancelled_exc_class())
            request.status = request.status or (GONE if gone else FAILED)
            raise
        finally:
            ended = request.ended or perf_counter()
            self._record(self._metric(request.status or FAILED), ended - request.began)

    def _metric(self, status: int) -> Metric:
        if status not in self._metrics:
            attributes = (("http.response.status_code", str(status)),)
            self._metrics[status] = Metric(HTTP, "histogram", "s", attributes)
        return self._metrics[status]


class _Request:
    """What is seen of it."""

    __slots__ = ("_receive", "_send", "began", "ended", "gone", "status")

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.status: int | None = None
        self.gone = False
        self.ended: float | None = None
        """Events go on for as long as somebody looks: theirs is the time until they begin."""
        self.began = perf_counter()

    async def receive(self) -> Any:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.gone = True
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if any(name == b"content-type" and value.startswith(EVENTS) for name, value in message.get("headers", ())):
                self.ended = perf_counter()
        await self._send(message)
