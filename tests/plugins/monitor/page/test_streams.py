"""Events, in simulated time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

import anyio
import msgspec
import pytest
from trio.testing import MockClock

from galvo_monitor.page.streams import BEAT, LIFE, MOST, Events, Streams
from galvo_monitor.view import View

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


class Views:
    """A source that shows what it is told."""

    def __init__(self) -> None:
        self._view = self._made(1.0)
        self._changed = anyio.Event()

    def view(self) -> View:
        return self._view

    def past(self, series: str, start: float, end: float, points: int) -> None:
        return None

    async def wait(self, after: float) -> View:
        while self._view.at <= after:
            await self._changed.wait()
        return self._view

    def show(self, at: float) -> None:
        self._view = self._made(at)
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    def _made(self, at: float) -> View:
        return View(at, 0.0, 1, "line\nbreak", "ok", [], [], [])


@asynccontextmanager
async def begun(streams: Streams) -> AsyncIterator[AsyncGenerator[bytes, None]]:
    """A stream whose reader knows when to come back."""
    async with aclosing(streams.frames()) as stream:
        assert (await anext(stream)).startswith(b"retry: ")
        yield stream


def read(frame: bytes) -> float:
    name, number, data, *rest = frame.split(b"\n")
    assert (name, rest) == (b"event: view", [b"", b""])
    view = msgspec.json.decode(data.removeprefix(b"data: "), type=View)
    assert number == b"id: %d" % (view.at * 1000)
    return view.at


async def test_each_view_is_sent_once() -> None:
    views = Views()
    async with begun(Streams(views)) as stream:
        assert read(await anext(stream)) == 1.0
        views.show(2.0)
        assert read(await anext(stream)) == 2.0
        with anyio.move_on_after(BEAT / 2):
            await anext(stream)
            raise AssertionError("it was sent again")


async def test_one_serialisation_for_all() -> None:
    streams = Streams(Views())
    async with AsyncExitStack() as opened:
        read = [await opened.enter_async_context(begun(streams)) for _ in range(MOST)]
        assert len({id(await anext(stream)) for stream in read}) == 1


async def test_those_who_have_not_begun_to_read_count_too() -> None:
    streams = Streams(Views())
    let_in = [Events(streams) for _ in range(MOST)]
    assert streams.full

    async def gone() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def unheard(message: object) -> None:
        await anyio.sleep_forever()

    await let_in[0]({"type": "http", "asgi": {}}, gone, unheard)
    assert not streams.full


async def test_who_reads_slowly_gets_the_latest() -> None:
    views = Views()
    async with begun(Streams(views)) as stream:
        await anext(stream)
        for at in range(2, 1000):
            views.show(float(at))
        assert read(await anext(stream)) == 999.0


async def test_silence_is_broken() -> None:
    async with begun(Streams(Views())) as stream:
        await anext(stream)
        before = anyio.current_time()
        assert await anext(stream) == b": still here\n\n"
        assert anyio.current_time() - before == BEAT


async def test_a_clock_that_is_set_back_stops_nothing() -> None:
    views = Views()
    views.show(5000.0)
    async with begun(Streams(views)) as stream:
        assert read(await anext(stream)) == 5000.0
        views.show(1000.0)
        assert read(await anext(stream)) == 1000.0
        views.show(1001.0)
        assert read(await anext(stream)) == 1001.0


async def test_a_stream_ends_so_that_its_reader_is_asked_anew() -> None:
    async with begun(Streams(Views())) as stream:
        before = anyio.current_time()
        assert len([frame async for frame in stream]) == 1 + LIFE / BEAT
        assert anyio.current_time() - before == LIFE


@pytest.mark.parametrize("fails", [False, True])
async def test_who_is_admitted_no_longer_is_sent_nothing_more(fails: bool) -> None:
    views, admitted = Views(), [True]

    async def admits() -> bool:
        if fails and not admitted[-1]:
            raise ConnectionRefusedError
        return admitted[-1]

    async with aclosing(Streams(views).frames(admits)) as stream:
        assert (await anext(stream)).startswith(b"retry: ")
        assert read(await anext(stream)) == 1.0
        admitted.append(False)
        views.show(2.0)
        assert [frame async for frame in stream] == []


async def test_closing_ends_those_who_wait() -> None:
    streams, ended = Streams(Views()), []

    async def follow() -> None:
        async with begun(streams) as stream:
            async for _ in stream:
                pass
        ended.append(anyio.current_time())

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(follow)
        await anyio.sleep(1.0)
        before = anyio.current_time()
        streams.close()
    assert ended == [before] * 3
    assert streams.full
