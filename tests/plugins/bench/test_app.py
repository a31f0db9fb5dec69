"""The load on the shop's application: nothing is lost, nothing is counted twice, and everybody is asked the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import psutil
import pytest

from galvo_bench.app import lanes, measure, shop
from galvo_bench.app.mix import MIX, Customer, Drawing, Mix, World
from galvo_bench.load.alarm import alarm
from galvo_bench.load.loops import Next, Outcome, Request, arrivals, closed, opened
from galvo_bench.load.wire import connected, parsed
from galvo_bench.reports.table import show
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers
from tests.conftest import reachable_folder, until_released
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio
ASKED = Request("page", b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
FINE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
WORLD = World(
    customers=[Customer("one", [1, 2], [1]), Customer("two", [3], [2, 3])],
    staff="three",
    templates=5,
    materials=7,
    groups=["boxes", "trays"],
    families=["wood", "metal"],
    sheets=[(1, 3.0), (2, 4.5)],
    settings=[1, 2, 3],
    drawings=[Drawing(1, {"width": [100.0, 110.0]}, [(1, 3.0)]), Drawing(2, {}, [(2, 4.5)])],
)


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


def test_everybody_is_asked_the_same() -> None:
    one, two = Mix(WORLD, 1), Mix(WORLD, 1)
    assert [one.next() for _ in range(500)] == [two.next() for _ in range(500)]
    assert sum(MIX.values()) == 10_000
    kinds = Counter(request.kind for request in (one.next() for _ in range(20_000)))
    assert set(kinds) == set(MIX)
    writes = sum(kinds[kind] for kind in ("rename", "part", "queue", "tune"))
    assert writes == pytest.approx(600, rel=0.15), "3 %"


def test_a_change_names_the_revision_that_was_seen() -> None:
    mix = Mix(WORLD, 1, only="rename")
    first = mix.next()
    assert b'"revision": 1' in first.payload
    mix.learn(first, b'{"id":1,"revision":7,"parameters":[]}')
    again = next(request for request in iter(mix.next, None) if request.project == first.project)
    assert b'"revision": 7' in again.payload
    mix.learn(again, b'{"problem":"revision: the project was changed meanwhile, to 9: look at it, and try again"}')
    assert mix.revisions[first.project] == 9


class Apart(Stand):
    """Its servers are in a folder of its own."""

    def __init__(self, folder: Path, postgres: str) -> None:
        super().__init__(postgres, rounds=1)
        self._folder = folder
        self._own: dict[str, Servers] = {}

    async def redis_of(self, name: str) -> str:
        return await self._own.setdefault(name, Servers(self._folder / name)).redis()

    def close(self) -> None:
        for servers in self._own.values():
            servers.close()
        until_released(self._folder)


@pytest.fixture
def stand(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(shop, "SCALE", 0.02)
    monkeypatch.setattr(shop, "NAME", "galvo_bench_app_test")
    monkeypatch.setattr(measure, "COUNTED", 200)
    monkeypatch.setattr(measure, "BEFORE", {"plain": 20, "full": 800})
    monkeypatch.setattr(measure, "OWN", {"plain": 0, "full": 800})
    monkeypatch.setattr(measure, "FIRST", 10.0)
    monkeypatch.setattr(measure, "HIGHEST", 11.0)
    monkeypatch.setattr(measure, "SECONDS", 1.0)
    monkeypatch.setattr(measure, "SHORT", 1.0)
    monkeypatch.setattr(measure, "WARM", 0.2)
    with reachable_folder() as folder:
        stand = Apart(folder, server_dsn)
        yield stand
        stand.close()
    left = [child.cmdline() for child in psutil.Process().children(recursive=True) if "galvo_bench.app" in str(child)]
    assert left == []


async def test_the_shop_with_everything_asks_its_database_less(stand: Stand) -> None:
    """Real processes, the whole mix, without an error."""
    names = [lane.name for lane in lanes.LANES]
    async with shop.copies(await stand.postgres(), names) as (world, urls), lanes.load(world) as load:
        found = await measure.queries(stand, load, urls)
    assert found["plain"]["queries"] > 1.4 * found["full"]["queries"] > 0
    assert found["plain"]["resets"] > 0 == found["full"]["resets"]


@pytest.mark.skipif(not THOROUGH, reason="five applications start")
async def test_all_sections_are_told(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    for section in await measure.measure(stand):
        show(section)
    told = capsys.readouterr().out
    assert "off again (A/A)" in told
    assert all(len(line) <= 80 for line in told.splitlines())
