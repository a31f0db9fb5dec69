"""The load's loops over real sockets: nothing is lost, nothing is counted twice, and waiting is waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import islice

import pytest

from galvo_bench.load.alarm import alarm
from galvo_bench.load.loops import Next, Outcome, Request, arrivals, closed, opened
from galvo_bench.load.wire import connected, parsed

pytestmark = pytest.mark.anyio
ASKED = Request("page", b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("answer", [
    (FINE, (200, b"ok")),
    (b"HTTP/1.1 304 Not Modified\r\netag: x\r\n\r\n", (304, b"")),
    (CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", (200, b"abc0123456789")),
])  # fmt: skip
def test_an_answer_may_come_in_pieces(answer: tuple[bytes, tuple[int, bytes]]) -> None:
    whole, expected = answer
    assert [parsed(whole[:size]) for size in range(len(whole))] == [None] * len(whole)
    assert parsed(whole) == expected


class Server:
    """Answers when it is told to."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked = 0
        self.held: list[Callable[[], None]] = []
        self.hold = 0
        """Answer nobody until so many have asked."""


@asynccontextmanager
async def server() -> AsyncIterator[Server]:
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                made.asked += 1
                made.held.append(lambda: writer.write(FINE))
                if made.asked >= made.hold:
                    for answer in made.held:
                        answer()
                    made.held.clear()
        except asyncio.IncompleteReadError:
            writer.close()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    made = Server(running.sockets[0].getsockname()[1])
    async with running:
        yield made
    for writer in writers:
        writer.close()


def learn(request: Request, body: bytes) -> None:
    pass


async def load(port: int, connections: int, *, warm: float = 0.0, each: Next = lambda: ASKED) -> Outcome:
    async with connected(port, connections) as free:
        with alarm() as clock:
            return await opened(free, each, learn, clock, rate=400, seconds=0.25, warm=warm, seed=1)


def due(rate: float, seconds: float) -> list[float]:
    found: list[float] = []
    for at in arrivals(rate, 1):
        if at >= seconds:
            return found
        found.append(at)
    raise AssertionError("arrivals never end")


async def test_a_server_that_stalls_is_charged_with_the_wait_of_all() -> None:
    """Whoever was due meanwhile waited, even though nothing was sent late."""
    times = due(400, 0.25)
    async with server() as made:
        made.hold = len(times)
        found = await load(made.port, 200)
    assert (found.due, found.done, found.shed, found.errors) == (len(times), len(times), 0, 0)
    assert found.latencies.quantile(1) >= 1e3 * (times[-1] - times[0]) * 0.98, "the first one waited for the last"


async def test_what_may_not_be_in_flight_is_shed_and_counted() -> None:
    times = due(400, 0.25)
    shed, number = asyncio.Event(), iter(range(len(times)))

    def last() -> Request:
        if next(number) == len(times) - 1:
            shed.set()
        return ASKED

    async with server() as made:
        made.hold = 3
        asked = asyncio.create_task(load(made.port, 2, each=last))
        await shed.wait()
        for answer in made.held:
            answer()
        found = await asked
    assert (found.due, found.done, found.shed, found.errors) == (len(times), 2, len(times) - 2, 0)


async def test_the_warm_up_is_sent_and_does_not_count() -> None:
    async with server() as made:
        found = await load(made.port, 50, warm=0.2)
        assert made.asked == len(due(400, 0.45))
    assert found.done == found.due == made.asked - len(due(400, 0.2))


async def test_an_answer_that_is_an_error_counts_as_one() -> None:
    outcome = Outcome()
    outcome.record(ASKED, 409, b"changed meanwhile", 0.1)
    outcome.record(ASKED, 0, b"the server closed the connection", 0.1)
    assert (outcome.done, outcome.errors) == (0, 2)
    assert outcome.first_error == "page: 409 changed meanwhile"


async def test_a_closed_loop_makes_so_many_requests() -> None:
    async with server() as made, connected(made.port, 7) as free:
        found = await closed(free, lambda: ASKED, learn, requests=100)
    assert found.done == found.due == made.asked == 100


def test_arrivals_are_those_of_the_rate_and_the_seed() -> None:
    first = list(islice(arrivals(50, 1), 5_000))
    assert first == list(islice(arrivals(50, 1), 5_000)) != list(islice(arrivals(50, 2), 5_000))
    assert first[-1] == pytest.approx(100, rel=0.05)
