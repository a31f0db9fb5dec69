"""Sentences: each says what the numbers say, together they say why, and without a reason none is said."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest

from galvo_monitor.database import Blocked
from galvo_monitor.database import Sample as Server
from galvo_monitor.insights import Facts, Leak, Refused, Suggestion
from galvo_monitor.series import Series, Values
from galvo_monitor.system import Disk
from galvo_monitor.system import Sample as Machine
from galvo_monitor.system.filling import Filling
from tests.plugins.monitor.insights.stand import EVERY, NOW, Hours, series

DURATION, WAIT = "db.client.operation.duration", "db.client.connection.wait_time"
OK = {"db_system_name": "postgresql"}


def queries(p95: float, rate: float = 100.0, busy: float = 0.5, **more: str) -> Values:
    labels = OK | more
    return {
        series(DURATION, "p95", **labels): p95,
        series(DURATION, "rate", **labels): rate,
        series(DURATION, "busy", **labels): busy,
    }


def server(idle: int = 0, oldest: float = 0.0, blocked: int = 0, blocker: Blocked | None = None) -> Server:
    return Server(
        {"active": 1, "idle": 3, "idle in transaction": idle, "other": 0}, 0, tuple(range(101, 101 + idle)), idle,
        oldest, blocked, oldest, 10, 100, 0.99, blocker,
    )  # fmt: skip


def machine(cpu: float = 0.3, io: float = 0.0, memory: float = 0.0) -> Machine:
    pressure = {("io", "some"): io, ("memory", "some"): memory}
    return Machine(0.0, cpu, 0.5, 1e9, 0.1, 1e8, 10.0, 20.0, pressure)


def warmed(values: Callable[[], Values], count: int = 60, facts: Facts | None = None) -> Hours:
    hours = Hours()
    for _ in range(count):
        assert hours.sentences(values(), facts) == []
    return hours


def noisy(p95: float) -> Callable[[], Values]:
    chance = random.Random(3)
    return lambda: queries(p95 * chance.lognormvariate(0, 0.1))


def at(hours: Hours, ago: float) -> str:
    return time.strftime("%H:%M", time.localtime(hours.now - ago))


def test_what_is_slow_and_why_is_one_sentence() -> None:
    hours = warmed(lambda: queries(0.012))
    facts = Facts(
        pool={"lent": 10, "limit": 10, "waiting": 12},
        pool_pids=frozenset({101, 102}),
        database=server(idle=3, oldest=130.0),
        machine=machine(cpu=0.96),
    )
    slow = queries(0.048, busy=10.0) | {series(WAIT, "busy"): 8.0}
    hours.pass_by(slow, facts)
    hours.pass_by(slow, facts)
    (found,) = hours.pass_by(slow, facts)
    began = at(hours, 3 * EVERY)
    assert found.sentence == (
        f"Query p95 up 4x to 48 ms since {began}; "
        f"all 10 connections of the pool are lent and 12 callers wait for one, seen since {at(hours, 2 * EVERY)}; "
        "80 % of the query time is pool wait; "
        "3 sessions idle in transaction for up to 2 min, 2 of this pool; "
        "the CPUs are 96 % busy, 10 % by this process"
    )
    assert f"{DURATION} p95 48 ms, usually 12 ms" in found.evidence
    assert "8.0 s of 10 s a second were spent waiting for a connection" in found.evidence
    assert found.since == hours.now - 3 * EVERY
    assert 0.5 < found.confidence < 1
    assert hours.sentences(noisy(0.012)(), Facts()) == [], "and it is silent when it is over"


def test_what_is_slow_without_a_known_reason_is_said_without_one() -> None:
    hours = warmed(lambda: queries(0.012), facts=Facts(database=server(), machine=machine()))
    for _ in range(3):
        said = hours.sentences(queries(0.12), Facts(database=server(), machine=machine()))
    assert said == [f"Query p95 up 10x to 120 ms since {at(hours, 3 * EVERY)}"]


def test_a_few_slow_queries_are_no_change() -> None:
    hours = warmed(noisy(0.012))
    for _ in range(5):
        assert hours.sentences(queries(0.5, rate=0.5)) == []


def test_failures_are_no_durations() -> None:
    """Those that end at once make nothing quicker, those that time out nothing slower: they are counted."""
    hours = warmed(noisy(0.012))
    failing = (
        queries(0.012, rate=90.0)
        | queries(30.0, rate=8.0, error_type="57014")
        | queries(0.001, rate=2.0, error_type="23505")
    )
    said = [hours.sentences(failing) for _ in range(3)]
    assert said[0] == []
    assert said[1] == said[2]
    assert said[2] == [f"10 % of the queries fail since {at(hours, 3 * EVERY)}, 80 % of them with 57014"]


def test_the_total_of_all_series_is_not_counted_again() -> None:
    def both(values: Values) -> Values:
        return values | {series(one.metric, one.aggregate, total="true"): value for one, value in values.items()}

    hours = warmed(lambda: both(queries(0.012)))
    for _ in range(3):
        said = hours.sentences(both(queries(0.12, rate=400.0, busy=0.08) | {series(WAIT, "busy"): 0.06}))
    assert said[0].endswith("120 ms since " + at(hours, 3 * EVERY) + "; 4x as many queries as usual (400 a second)")


def http(p95: float, rate: float = 50.0, status: int = 200) -> Values:
    name = "http.server.request.duration"
    labels = {"http.response.status_code": str(status)}
    return {
        Series(name, "p95", tuple(labels.items())): p95,
        Series(name, "rate", tuple(labels.items())): rate,
    }


def test_requests_that_are_slow_because_queries_are() -> None:
    hours = warmed(lambda: http(0.05) | queries(0.01))
    slow = http(0.5) | queries(0.2, rate=300.0)
    hours.sentences(slow)
    since = at(hours, 0)
    assert hours.sentences(slow)[0].startswith(
        f"Request p95 up 10x to 500 ms since {since}; query p95 up 20x to 200 ms since {since}"
    )


def test_requests_that_fail() -> None:
    hours = warmed(lambda: http(0.05) | http(0.01, rate=5.0, status=404))
    failing = http(0.05) | http(0.01, rate=5.0, status=404) | http(0.01, rate=5.0, status=503)
    for _ in range(3):
        said = hours.sentences(failing)
    assert said == [f"8.3 % of the requests fail since {at(hours, 3 * EVERY)}, all with status 503"]


def test_traffic_is_told_beside_what_is_slow_and_not_by_itself() -> None:
    hours = warmed(lambda: queries(0.012))
    for _ in range(3):
        assert hours.sentences(queries(0.012, rate=400.0)) == []
    for _ in range(3):
        said = hours.sentences(queries(0.12, rate=400.0))
    assert said[0].endswith("; 4x as many queries as usual (400 a second)")


def test_a_task_that_waits_for_far_too_long() -> None:
    oldest = series("galvo.tasks.oldest", "value", queue="mail")
    hours = warmed(lambda: {oldest: 3.0})
    for _ in range(3):
        said = hours.sentences({oldest: 300.0})
    assert said == [
        f"The oldest task of the queue mail has waited for 5 min, far longer than usual since {at(hours, 3 * EVERY)}"
    ]


def test_workers_that_have_no_time_left() -> None:
    oldest = series("galvo.tasks.oldest", "value", queue="image", priority="bulk")
    work = {
        series("galvo.tasks.concurrency", "value", **{"class": "image"}): 3.0,
        series("galvo.tasks.concurrency", "value", **{"class": "quick"}): 1.0,
        series("galvo.tasks.run_time", "busy", task="shop.raster"): 3.8,
        series("galvo.tasks.run_time", "busy", task="shop.estimate"): 0.12,
        series("galvo.tasks.run_time", "busy", total="true"): 3.92,
    }
    for busy, explained in ((3.8, True), (1.0, False)):
        work[series("galvo.tasks.run_time", "busy", task="shop.raster")] = busy
        hours = warmed(lambda: {oldest: 3.0})
        for _ in range(3):
            said = hours.sentences({oldest: 300.0, **work})
        assert said[0].startswith("The oldest bulk task of the queue image has waited for 5 min, far longer than usual")
        told = "; its workers run 3 tasks at once, and all workers are 98 % busy"
        assert said[0].endswith(told) if explained else "workers" not in said[0]


def test_failures_that_take_longer_make_no_query_slower() -> None:
    def with_failures(p95: float) -> Values:
        return queries(0.012, rate=99.0) | queries(p95, rate=1.0, error_type="57014")

    hours = warmed(lambda: with_failures(0.01))
    for _ in range(5):
        assert hours.sentences(with_failures(30.0)) == []


def test_failures_that_are_usual_are_none() -> None:
    failing = queries(0.012, rate=90.0) | queries(0.001, rate=10.0, error_type="23505")
    hours = warmed(lambda: failing)
    assert hours.sentences(failing) == []


def test_an_exhausted_pool_is_said_at_the_second_look() -> None:
    hours, facts = Hours(), Facts(pool={"lent": 5, "limit": 5, "waiting": 1})
    assert hours.sentences({}, facts) == []
    assert hours.sentences({}, facts) == [
        f"All 5 connections of the pool are lent and 1 caller waits for one, seen since {at(hours, EVERY)}"
    ]
    assert hours.sentences({}, Facts(pool={"lent": 5, "limit": 5, "waiting": 0})) == []
    assert hours.sentences({}, facts) == [], "a burst now and then is none"


def test_a_share_of_next_to_nothing_is_none_and_more_than_all_neither() -> None:
    hours = Hours()
    for waited, busy in ((0.04, 0.05), (3.0, 1.0)):
        for _ in range(3):
            assert hours.sentences(queries(0.01, busy=busy) | {series(WAIT, "busy"): waited}) == []
    for _ in range(3):
        assert hours.sentences({series(WAIT, "busy"): 3.0}) == []


def test_pool_wait_by_itself() -> None:
    hours = Hours()
    values = queries(0.01, busy=2.0) | {series(WAIT, "busy"): 1.5}
    assert hours.sentences(values) == []
    assert hours.sentences(values) == ["75 % of the query time is pool wait"]


def test_pool_wait_of_those_who_take_connections_by_hand_is_no_share() -> None:
    hours = Hours()
    values = queries(0.01, busy=2.0) | {series(WAIT, "busy"): 1.5}
    for _ in range(3):
        assert hours.sentences(values, Facts(pool_hosted=True)) == []


def test_a_pool_that_lends_no_more_for_now_has_not_lent_all() -> None:
    hours, facts = Hours(), Facts(pool={"lent": 5, "limit": 5, "size": 8, "waiting": 2})
    hours.sentences({}, facts)
    assert hours.sentences({}, facts) == [
        f"The pool lends 5 connections, no more for now, and 2 callers wait for one, seen since {at(hours, EVERY)}"
    ]


def test_a_forgotten_transaction_is_said_after_a_minute() -> None:
    hours = Hours()
    assert hours.sentences({}, Facts(database=server(idle=1, oldest=31.0))) == []
    (found,) = hours.pass_by({}, Facts(database=server(idle=1, oldest=61.0), pool_pids=frozenset({101})))
    assert found.sentence == "1 session idle in transaction for up to 61 s, of this pool"
    assert found.evidence == "pg_stat_activity: process 101"
    assert found.since == hours.now - 61


def test_who_waits_for_a_lock_and_for_whom() -> None:
    hours = Hours()
    blocked = Blocked(7, 12.0, 9, "idle in transaction", 40.0)
    (found,) = hours.pass_by({}, Facts(database=server(blocked=4, blocker=blocked)))
    assert found.sentence == ("4 sessions wait for locks, one for 12 s behind process 9, which is idle in transaction")
    prepared = Blocked(7, 12.0, 0, "", None)
    assert hours.sentences({}, Facts(database=server(blocked=1, blocker=prepared))) == [
        "1 session waits for locks, one for 12 s behind a prepared transaction"
    ]
    unknown = Blocked(7, None, 9, "active", 3.0)
    assert hours.sentences({}, Facts(database=server(blocked=1, blocker=unknown))) == []


def test_a_redis_that_is_away() -> None:
    hours = Hours()
    (found,) = hours.pass_by({}, Facts(cache={"away_seconds": 40.0, "shares": 0.0}))
    assert found.sentence == f"The cache has not reached Redis since {at(hours, 40)} and answers nothing until it does"
    assert found.since == hours.now - 40
    assert hours.sentences({}, Facts(cache={"away_seconds": 40.0, "shares": 1.0})) == [
        f"The cache has not reached Redis since {at(hours, 40)}"
    ]
    assert hours.sentences({}, Facts(cache={"away_seconds": 0.4})) == []


def reads(missing: float) -> Values:
    return {
        series("galvo.cache.hits", "rate", galvo_cache_level="l1"): 50 * (1 - missing),
        series("galvo.cache.hits", "rate", galvo_cache_level="l2"): 50 * (1 - missing),
        series("galvo.cache.misses", "rate", galvo_cache_reason="absent"): 100 * missing,
    }


def test_more_misses_than_usual() -> None:
    hours = warmed(lambda: reads(0.08))
    assert hours.sentences(reads(0.63)) == []
    assert hours.sentences(reads(0.63)) == [
        f"63 % of the cache's reads miss since {at(hours, 2 * EVERY)}, usually 8.0 %"
    ]
    away = Facts(cache={"away_seconds": 40.0})
    assert len(hours.sentences(reads(1.0), away)) == 1, "the reason is enough"


def test_the_refusal_that_costs_most() -> None:
    hours = Hours()
    said: list[str] = []
    for number in range(21):
        refused = (
            Refused("select now(), $1", "volatile function: now", 100.0 + 20 * number, 1000 + 40 * number),
            Refused("select 2", "too_large", 900.0, 10),
        )
        said = hours.sentences({}, Facts(refused=refused if number % 10 == 0 else None))
    assert said == [
        "The cache refuses `select now(), $1` (volatile function: now), which has cost 67 % of one connection's time "
        f"since {at(hours, 20 * EVERY)}"
    ]


def test_a_refusal_that_costs_little_is_none() -> None:
    hours = Hours()
    for number in range(30):
        refused = (Refused("select now()", "volatile function: now", 1000.0 + number, 1e6 + number),)
        assert hours.sentences({}, Facts(refused=refused)) == []


def test_loop_lag_and_the_machine() -> None:
    lag = series("galvo.loop.lag", "p99")
    hours = warmed(lambda: {lag: 0.004})
    busy = Facts(machine=machine(cpu=0.99, io=0.4, memory=0.2))
    hours.sentences({lag: 0.2}, busy)
    assert hours.sentences({lag: 0.2}, busy) == [
        f"Event loop lag p99 up 10x to 200 ms since {at(hours, 2 * EVERY)}; the CPUs are 99 % busy, 10 % by this "
        "process; some tasks waited for I/O 40 % of the time; some tasks waited for memory 20 % of the time"
    ]
    assert hours.sentences({lag: 0.004}, busy) == [], "a machine may work hard"


def test_a_slow_disk() -> None:
    hours = Hours()
    for _ in range(40):
        assert hours.sentences({}, Facts(machine=machine(io=0.02))) == []
    hours.sentences({}, Facts(machine=machine(io=0.6)))
    assert hours.sentences({}, Facts(machine=machine(io=0.6))) == [
        f"Some tasks waited for I/O 60 % of the time since {at(hours, 2 * EVERY)}, usually 2.0 %"
    ]


def test_a_disk_that_is_always_busy_is_none() -> None:
    hours = Hours()
    for _ in range(40):
        assert hours.sentences({}, Facts(machine=machine(io=0.5))) == []


def test_a_disk_that_fills() -> None:
    hours = Hours()
    disk = Disk("/data", 8.0 * 2**30, 100.0 * 2**30, Filling(2400.0, 3.5 * 2**20, 600.0))
    (found,) = hours.pass_by({}, Facts(disks=(disk, Disk("/", 1e9, 1e12, None))))
    assert found.sentence == "The disk of /data is full in 40 min at the pace of the last 10 min"
    assert found.evidence == "8.0 GiB of 100 GiB are free, 3.5 MiB less each second"
    assert found.since == hours.now - 600
    assert hours.sentences({}, Facts(disks=(Disk("/data", 0.0, 1e12, Filling(0.0, 0.0, 0.0)),))) == [
        "The disk of /data is full"
    ]


@pytest.mark.parametrize(
    "leak, sentence",
    [
        (Leak("python", 12 * 2**20, 0.999, "Marks rise."), "Memory leaks 12.0 MiB an hour: objects that Python keeps"),
        (Leak("native", 2**20, 0.99, "M."), "Memory leaks 1.0 MiB an hour: memory outside of Python"),
        (Leak("fragmentation", 2**20, 0.99, "M."), "Memory grows by 1.0 MiB an hour: malloc keeps what was freed"),
        (Leak("fragmentation", 0.0, 1.0, "M."), "Malloc keeps memory that was freed"),
    ],
)
def test_a_leak(leak: Leak, sentence: str) -> None:
    hours = Hours()
    hours.pass_by({}, Facts(leak=leak))
    (found,) = hours.pass_by({}, Facts(leak=leak))
    assert found.sentence == sentence
    assert found.confidence == leak.confidence
    assert found.since == hours.now - EVERY


def test_advice_that_waits() -> None:
    hours = Hours()
    one = Suggestion("sequential-scan", "t", "It reads 1e6 rows to find 3.", "Create an index on t(a).")
    two = Suggestion("n-plus-one", "s", "One task ran it 100 times.", "Join the two statements.")
    (found,) = hours.pass_by({}, Facts(suggestions=(one,)))
    assert found.sentence == "Index advice waits: Create an index on t(a)"
    assert found.evidence == "t: It reads 1e6 rows to find 3."
    assert hours.sentences({}, Facts(suggestions=(one, two))) == [
        "Index advice waits (1 more is in `galvo index`): Join the two statements"
    ]


def test_what_matters_most_comes_first() -> None:
    hours = warmed(noisy(0.012))
    facts = Facts(
        cache={"away_seconds": 50.0},
        leak=Leak("native", 2**20, 0.99, "M."),
        disks=(Disk("/", 1e9, 1e12, Filling(60.0, 1e6, 60.0)),),
    )
    for _ in range(3):
        said = hours.sentences(queries(0.5), facts)
    assert [sentence.split()[0] for sentence in said] == ["Query", "The", "The", "Memory"]


def test_a_clock_that_jumps_back_puts_nothing_into_the_future() -> None:
    hours = warmed(noisy(0.012))
    facts = Facts(pool={"lent": 5, "limit": 5, "waiting": 1}, leak=Leak("native", 2**20, 0.99, "M."))
    for _ in range(3):
        hours.pass_by(queries(0.5), facts)
    hours.now = NOW - 10 * 86400
    for one in hours.pass_by(queries(0.5), facts):
        assert one.since <= hours.now


def test_hostile_numbers_are_no_sentences() -> None:
    nothing = {"lent": 0.0, "limit": 0.0, "waiting": 3.0}
    hours = Hours()
    for _ in range(3):
        assert (
            hours.sentences(queries(0.0, rate=0.0, busy=0.0) | {series(WAIT, "busy"): 0.0}, Facts(pool=nothing)) == []
        )
