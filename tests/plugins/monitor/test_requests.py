"""How long the application's requests take, by status."""

from __future__ import annotations

import contextlib
from typing import Any

import anyio
import pytest

from galvo import Metric
from galvo_monitor import requests
from galvo_monitor.requests import Requests

pytestmark = pytest.mark.anyio


class Recorded(list[tuple[Metric, float]]):
    def __call__(self, metric: Metric, value: float) -> None:
        self.append((metric, value))


async def nothing(*_: Any) -> None:
    pass


async def run(app: Any, kind: str = "http") -> Recorded:
    recorded = Recorded()
    with contextlib.suppress(ZeroDivisionError):
        await Requests(app, recorded)({"type": kind}, nothing, nothing)
    return recorded


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 404})
    await send({"type": "http.response.body"})


async def breaks(scope: Any, receive: Any, send: Any) -> None:
    raise ZeroDivisionError


async def test_by_status() -> None:
    ((metric, seconds),) = await run(answer)
    assert (metric.name, metric.kind, metric.unit) == ("http.server.request.duration", "histogram", "s")
    assert metric.attributes == (("http.response.status_code", "404"),)
    assert 0 < seconds < 1


async def test_an_exception_is_a_failure_and_passes_on() -> None:
    ((metric, _),) = await run(breaks)
    assert metric.attributes == (("http.response.status_code", "500"),)
    with pytest.raises(ZeroDivisionError):
        await Requests(breaks, Recorded())({"type": "http"}, nothing, nothing)


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_what_is_no_request(kind: str) -> None:
    assert await run(answer, kind) == []


async def test_an_event_stream_takes_until_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 10.0
    monkeypatch.setattr(requests, "perf_counter", lambda: now)

    async def streams(scope: Any, receive: Any, send: Any) -> None:
        nonlocal now
        now = 10.5
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        now = 99.0

    ((_, seconds),) = await run(streams)
    assert seconds == 0.5


async def test_a_client_that_does_not_wait_is_no_failure() -> None:
    recorded = Recorded()
    async with anyio.create_task_group() as tasks:

        async def hangs(scope: Any, receive: Any, send: Any) -> None:
            tasks.cancel_scope.cancel()
            await anyio.sleep_forever()

        await Requests(hangs, recorded)({"type": "http"}, nothing, nothing)

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "http.disconnect"
        raise ZeroDivisionError  # Starlette's ClientDisconnect

    async def left() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(ZeroDivisionError):
        await Requests(reads, recorded)({"type": "http"}, left, nothing)
    assert [dict(metric.attributes) for metric, _ in recorded] == [{"http.response.status_code": "499"}] * 2
