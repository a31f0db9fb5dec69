"""Each subject on real servers, for one round: every peer runs, and what is counted is right."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator

import pytest
from redis import Redis

from galvo import GalvoError
from galvo_bench.cache import codec, eviction, invalidation, l2, ledger_ways, readers, redis_ways
from galvo_bench.index import watching
from galvo_bench.memory import buffers, chunk_ways, chunks, images, resting
from galvo_bench.monitor import monitoring, recording
from galvo_bench.pool import connections, sizing
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Section, Values
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers
from tests.thorough import THOROUGH

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning"),  # cashews closes redis-py so
]
PEERS = (
    "aiocache", "cachebox", "cashews", "coredis", "ddsketch", "dogpile.cache", "opentelemetry", "prometheus_client",
    "psycopg_pool", "theine",
)  # fmt: skip


class OneRound(Stand):
    """A stand on the servers of this test run."""

    def __init__(self, postgres: str, redis: str) -> None:
        super().__init__(postgres, rounds=1)
        self._redis = redis

    async def redis(self) -> str:
        return self._redis


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is measured here is nobody's result."""
    few = {load: (max(50, gets // 10), tasks, most) for load, (gets, tasks, most) in l2.LOADS.items()}
    monkeypatch.setattr(l2, "LOADS", few)
    for module in (redis_ways, ledger_ways):
        monkeypatch.setattr(module, "ENTRIES", 2_000)
    monkeypatch.setattr(redis_ways, "KEYS", redis_ways.KEYS[:2_000])
    monkeypatch.setattr(codec, "REPEATS", 20)
    monkeypatch.setattr(eviction, "READS", 60_000)


@pytest.fixture
def stand(server_dsn: str, servers: Servers) -> Iterator[Stand]:
    redis = asyncio.run(servers.redis())
    yield OneRound(server_dsn, redis)
    with Redis.from_url(redis) as client:
        assert client.info("keyspace") == {}, "the subject left keys behind"


@pytest.fixture
def no_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)
        for module in [module for module in sys.modules if module.startswith(f"{name}.")]:
            monkeypatch.setitem(sys.modules, module, None)


async def test_watching(stand: Stand) -> None:
    through, _, adds = await watching.measure(stand)
    assert [row.name for row in through.rows][:2] == ["galvo fetch, index off", "galvo fetch, watched"]
    assert 0 < exact(adds)["a query"]["us"] < 100


async def test_resting(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "LONGEST", 0.2)
    monkeypatch.setattr(resting, "CHILDREN", 1)
    [section] = await resting.measure(stand)
    rows = exact(section)
    assert list(rows) == list(resting.KINDS)
    assert all(row["RSS, MiB"] > 10 for row in rows.values())
    assert 0 < rows["the memory plugin"]["more, MiB"] < 20


@pytest.mark.skipif(not THOROUGH, reason="the claims' test starts such processes")
async def test_monitoring(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitoring, "LONGEST", 0.2)
    monkeypatch.setattr(monitoring, "PAIRS", 1)
    [section] = await monitoring.measure(stand)
    rows = exact(section)
    assert list(rows) == list(monitoring.KINDS)
    assert 0 < rows["the monitor"]["by its parts, %"] < 10
    assert rows["no monitor"]["ns a record"] == 0


async def test_l2(stand: Stand) -> None:
    one, in_step, out_of_step, commands = await l2.measure(stand)
    assert missing(one) == missing(in_step) == missing(out_of_step) == []
    assert [row.name for row in in_step.rows] == [*exact(commands), "the first again (A/A)"]
    assert exact(commands)["redis.asyncio GET"] == dict.fromkeys(l2.LOADS, readers.GETS)
    for name in ("galvo L2 transport", "galvo L2 get, decoded"):
        galvo = exact(commands)[name]
        assert galvo["1 task"] == readers.GETS
        assert galvo["100 in step"] <= readers.GETS / 50, "gets of one tick did not travel together"
        assert galvo["100 in step"] <= galvo["100 out of step"] < readers.GETS / 2


async def test_l2_refuses_a_peer_that_gives_something_else(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def liar(url: str, rows: object, stack: object) -> readers.Reader:
        async def get(key: str) -> bytes:
            return b"fast and wrong"

        return readers.Reader("liar", get, rows)

    monkeypatch.setitem(readers.PEERS, "liar", liar)
    with pytest.raises(GalvoError, match="liar gave another answer"):
        await l2.measure(stand)


@pytest.mark.parametrize("load", l2.LOADS)
async def test_a_burst_gets_each_key_once(load: str) -> None:
    """Equal keys could travel as one."""
    asked: list[str] = []

    async def get(key: str) -> None:
        asked.append(key)

    gets, tasks, most = l2.LOADS[load]
    await l2.burst(readers.Reader("", get, None), gets, tasks, most)()
    assert sorted(asked) == sorted(readers.KEYS[:gets])
    assert {turns for own in l2.pauses_of(gets, tasks, most) for turns in own} == set(range(most + 1))


async def test_images(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "SIZE", (1200, 800))
    monkeypatch.setattr(images, "WIDTH", 400)
    sections = await images.measure(stand)
    assert len(sections) == len(images.FILES)
    for section in sections:
        show(section)
        found = exact(section)
        assert list(found) == list(images.LANES)
        assert all(run["peak MiB"] > 0 and run["s"] > 0 for run in found.values())


async def test_images_without_pillow(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    (section,) = await images.measure(stand)
    assert missing(section) == section.rows != []


async def test_codec(stand: Stand) -> None:
    encode, decode, size = await codec.measure(stand)
    assert missing(encode) == missing(decode) == []
    assert [row.name for row in encode.rows] == [row.name for row in decode.rows]
    assert 2_000 < exact(size)["pickle 5 (dogpile)"]["bytes"] < 4_000
    assert exact(size)["galvo, typed msgpack"]["bytes"] < exact(size)["pickle 5 (dogpile)"]["bytes"]


async def test_invalidation(stand: Stand) -> None:
    times, commands = await invalidation.measure(stand)
    assert missing(times) == []
    left = {name: values["entries left to expire"] for name, values in exact(commands).items()}
    assert left.pop("redis.asyncio SET of a stamp") == redis_ways.ENTRIES + 1
    assert set(left.values()) == {0}
    assert exact(commands)["redis.asyncio SMEMBERS, UNLINK"]["commands"] == 2
    assert exact(commands)["redis.asyncio SCAN, UNLINK"]["commands"] >= redis_ways.ENTRIES / 1000


async def test_invalidation_notices_what_was_not_invalidated(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def forgetful(crowd: redis_ways.Crowd) -> None:
        await redis_ways.scan(crowd)
        crowd.invalidate = lambda: crowd.client.unlink(*redis_ways.KEYS[1:])

    monkeypatch.setattr(redis_ways, "WAYS", {"forgetful": forgetful})
    with pytest.raises(GalvoError, match="forgetful left 1 entries behind"):
        await invalidation.measure(stand)


async def test_pool(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "TASKS", (1, 30))
    monkeypatch.setattr(connections, "LEAST", 30)
    monkeypatch.setattr(connections, "LOADS", {"a row by its key": connections.LOADS["a row by its key"]})
    sections = await connections.measure(stand)
    assert len(sections) == 1 + 2 * len(connections.LOADS) + 2
    names = [connections.BASELINE, "galvo, no kernel", "galvo with cache", "psycopg_pool"]
    for section in sections:
        show(section)
        assert missing(section) == []
        assert [row.name for row in section.rows if row.name in names] == names


async def test_sizing(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"STEPS": (1, 5), "SIZES": (1, 4), "SECONDS": 0.05, "SETTLE": 0.1}.items():
        monkeypatch.setattr(sizing, name, value)
    sections = await sizing.measure(stand)
    assert len(sections) == 4
    for section in sections:
        show(section)
        rows = exact(section)
        for clients in (1, 5):
            step = f"{clients} clients"
            assert max(rows[size][step] for size in "14") == 1
            assert rows[sizing.FOLLOWS][step] > 0
            assert 1 <= rows["its connections"][step] <= min(4, clients)
    waiting = exact(sections[2])
    assert waiting["the best's"]["5 clients"] == 4


@pytest.mark.skipif(not THOROUGH, reason="the claims' test reads by these ways")
async def test_chunks(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "ROWS", 20_000)
    [section] = await chunks.measure(stand)
    show(section)
    rows = exact(section)
    assert [*rows] == [*chunk_ways.WAYS]
    assert all(row["s"] > 0 for row in rows.values())
    assert rows["export, COPY"]["MiB"] < rows["asyncpg fetch"]["MiB"]


async def test_chunks_refuses_a_way_that_reads_other_rows(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "ROWS", 100)
    monkeypatch.setattr(chunks, "SCHEMA", chunk_ways.SCHEMA.replace("(1, {rows})", "(2, {rows})"))
    with pytest.raises(GalvoError, match="asyncpg fetch has read other rows"):
        await chunks.measure(stand)


async def test_buffers(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffers, "WORK", 1 << 20)
    monkeypatch.setattr(buffers, "SIZES", {"64 KiB": 64 << 10, "1 MiB": 1 << 20})
    sections = await buffers.measure(stand)
    assert len(sections) == len(buffers.SIZES) + len(buffers.OBJECTS)
    for section in sections:
        show(section)
    names = [[row.name for row in section.rows] for section in sections]
    assert names[0] == ["bytearray", "BufferPool", "BufferPool, zeroed", "the first again (A/A)"]
    assert names[-1] == ["made each time", "ObjectPool", "the first again (A/A)"]


async def test_eviction(stand: Stand) -> None:
    [section] = await eviction.measure(stand)
    assert missing(section) == []
    ratios = exact(section)
    assert ratios["LRU (OrderedDict)"] == ratios["LRU (cachebox)"]
    for head in ("hit ratio", "with scans"):
        assert ratios["SIEVE (galvo)"][head] > ratios["LRU (OrderedDict)"][head] + 0.05
        assert 0.4 < ratios["W-TinyLFU (theine)"][head] < 0.6


async def test_recording(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "MANY", 20_000)
    duration, count, errors = await recording.measure(stand)
    assert missing(duration) == missing(count) == missing(errors) == []
    assert [row.name for row in duration.rows[2:-1]] == list(recording.HISTOGRAMS)
    assert [row.name for row in count.rows[1:-1]] == list(recording.COUNTERS)
    ours, sketch, _ = exact(errors).values()
    assert ours.keys() == recording.QS.keys()
    assert all(abs(error) <= 100 / 32 for error in ours.values())
    assert all(abs(error) <= 1 for error in sketch.values())


def test_a_scan_reads_keys_that_nobody_else_reads() -> None:
    plain, scanned = (list(eviction.reads(scans=scans)) for scans in (False, True))
    once = [key for key in scanned if key > eviction.KEYS]
    assert [key for key in scanned if key <= eviction.KEYS] == plain
    assert len(once) == len(set(once)) == eviction.READS // eviction.SCAN_EVERY * eviction.SCAN


async def test_missing_peers_are_named(
    stand: Stand, no_peers: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run goes on without them, and its tables fit a terminal."""
    monkeypatch.setattr(eviction, "READS", 1000)
    monkeypatch.setattr(recording, "MANY", 1000)
    sections = [
        section
        for subject in (l2, codec, invalidation, recording, eviction)
        for section in await subject.measure(stand)
    ]  # fmt: skip
    for section in sections:
        assert {row.missing for row in section.rows if isinstance(row, Missing)} == {"not installed"}
        assert len(section.rows) > len(missing(section)), "not even galvo was measured"
        show(section)
    out = capsys.readouterr().out
    assert "not installed" in out
    assert max(map(len, out.splitlines())) <= 80


async def test_a_broken_peer_is_named(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(rows: object) -> codec.Codec:
        raise TypeError("secret")

    monkeypatch.setattr(codec, "_cashews", broken)
    sections = await codec.measure(stand)
    assert all(
        missing(section) == [Missing("cashews serializer", "does not work here: TypeError")] for section in sections
    )


def exact(section: Section) -> dict[str, dict[str, float]]:
    return {row.name: row.values for row in section.rows if isinstance(row, Values)}


def missing(section: Section) -> list[Missing]:
    return [row for row in section.rows if isinstance(row, Missing)]
