"""The limit on a modelled server: as much throughput as the best fixed size, with hardly more connections."""

from __future__ import annotations

from functools import cache
from statistics import median

import pytest

from galvo_pool.sizing import Limit
from tests.plugins.pool.sizing.model import Kind, Model, Outcome
from tests.thorough import some

SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
HIGH = 64
LOADS: dict[str, tuple[Kind, ...]] = {
    # Several times as slow as they are, so that the model has less to do: the proportions matter.
    "point select": (Kind("select 1", 0.0004, client=0.0003),),
    "2 ms of CPU": (Kind("sum", 0.002, steady=True),),
    "2 ms of CPU on average": (Kind("sum", 0.002),),
    "waiting": (Kind("sleep", 0.0001, 0.025, steady=True),),
    "waiting and CPU": (Kind("mixed", 0.0006, 0.008),),
    "point selects among waits": (Kind("select 1", 0.0004, share=4), Kind("sleep", 0.0004, 0.02)),
}


def limited(kinds: tuple[Kind, ...], cores: int, seed: int = 1) -> tuple[Model, Limit]:
    """A model whose limit follows the load."""
    limit = Limit(1, HIGH, 2 * cores + 1)
    model = Model(
        kinds,
        cores,
        lambda: limit.value,
        limit.record,
        lambda waiting, busy: limit.tick(now=model.now, waiting=waiting, busy=busy),
        seed=seed,
        pace=lambda: limit.pace,
    )
    return model, limit


@cache
def fixed(kinds: tuple[Kind, ...], cores: int, size: int, clients: int, seconds: float = 6) -> float:
    """Throughput with a limit that stays."""
    model = Model(kinds, cores, lambda: size)
    model.run(seconds / 10, clients)
    return model.run(seconds, clients).throughput


def compare(found: Outcome, kinds: tuple[Kind, ...], cores: int, clients: int) -> tuple[float, float]:
    """Throughput to that of the best size, connections to those of the smallest size that is nearly as good."""
    sizes = [size for size in SIZES if size < 1.5 * clients] or [1]
    by_size = {size: fixed(kinds, cores, size, clients) for size in sizes}
    best = max(by_size.values())
    fewest = min(size for size, throughput in by_size.items() if throughput >= 0.99 * best)
    return found.throughput / best, found.busy / min(fewest, clients)


@pytest.mark.parametrize("load, cores", some([*((load, 2) for load in LOADS), ("point select", 4)], 3))
def test_as_good_as_the_best_fixed_size(load: str, cores: int) -> None:
    kinds = LOADS[load]
    found = []
    for seed in range(3 if load == "2 ms of CPU on average" else 1):  # there chance decides between 3 and 5
        model, limit = limited(kinds, cores, seed=seed + 1)
        model.run(10, 100)
        found.append(compare(model.run(20, 100), kinds, cores, 100))
    throughput, connections = map(median, zip(*found, strict=True))
    assert throughput >= 0.95, limit.explain()
    assert connections <= 1.5, limit.explain()


@pytest.mark.parametrize("load", some(["2 ms of CPU", "waiting", "point select"]))
def test_load_that_steps(load: str) -> None:
    kinds = LOADS[load]
    model, limit = limited(kinds, 2)
    for clients in (1, 50, 500, 5):
        model.run(10, clients)
        throughput, connections = compare(model.run(10, clients), kinds, 2, clients)
        assert throughput >= 0.95, (clients, limit.explain())
        # With 5 clients a size of 5 is theirs: smaller ones can do the same, but no client waits.
        assert connections <= (1.5 if clients > 5 else 1.7), (clients, limit.explain())


def test_where_waiting_helps_it_is_large_within_seconds() -> None:
    model, limit = limited(LOADS["waiting"], 2)
    model.run(3, 500)
    assert limit.value == HIGH


def test_what_the_load_has_left_is_given_back() -> None:
    model, limit = limited(LOADS["waiting"], 2)
    model.run(5, 100)
    assert limit.value == HIGH
    model.run(15, 3)
    assert limit.value == 5, "back at its start"
    assert "nobody waits" in limit.explain()


def test_another_load_takes_its_place() -> None:
    """From waits, where many are best, to CPU, where few are."""
    model, limit = limited(LOADS["waiting"], 2)
    model.run(10, 100)
    model.kinds = LOADS["2 ms of CPU"]
    model.run(25, 100)
    throughput, connections = compare(model.run(20, 100), LOADS["2 ms of CPU"], 2, 100)
    assert throughput >= 0.95, limit.explain()
    assert connections <= 1.5, limit.explain()


def test_a_server_that_became_slower_is_no_load() -> None:
    """The same waits, now ten times as long (a network, a disk): fewer connections would not help."""
    model, limit = limited(LOADS["waiting"], 2)
    model.run(10, 100)
    model.slow = 10
    assert model.run(20, 100).busy >= 0.9 * HIGH, limit.explain()


def test_reports_among_point_selects() -> None:
    """Half a second next to half a millisecond: neither starves the other out of connections."""
    kinds = (Kind("select 1", 0.0004, client=0.0003, share=2000), Kind("report", 0.25, 0.25, steady=True))
    model, limit = limited(kinds, 2)
    model.run(20, 100)
    found = model.run(40, 100)
    best = max(fixed(kinds, 2, size, 100, 40) for size in (4, 6, 8, 12, 24))
    assert found.throughput >= 0.9 * best, limit.explain()  # chance: about 60 reports run in that time


@pytest.mark.parametrize("seed", some(range(5), 3))
def test_noise_does_not_let_it_collapse(seed: int) -> None:
    """Bursts in which the machine is three times as slow, for whoever else runs on it."""
    kinds = LOADS["waiting and CPU"]
    model, limit = limited(kinds, 2, seed=seed)
    model.run(10, 100)
    least = limit.value
    for _ in range(20):
        model.slow = model.source.choice([1, 1, 3])
        model.run(1, 100)
        least = min(least, 64 if limit.explain().count("for a moment") else limit.value)
    assert least >= 8


SLEEPS = (Kind("sleep", 0.0001, 0.2, steady=True),)


def watched(model: Model, limit: Limit) -> list[int]:
    """Tasks that wait at each tick at which a probe holds them up, from now on."""
    found: list[int] = []
    tick = model.tick

    def told(waiting: int, busy: int) -> None:
        if "for a moment" in limit.explain():
            found.append(waiting)
        tick(waiting, busy)

    model.tick = told
    return found


@pytest.mark.parametrize("clients", [20, 40])
@pytest.mark.parametrize("begins", [5.0, 5.1])
def test_a_burst_of_long_statements_is_not_held_up_to_learn_of_it(clients: int, begins: float) -> None:
    """Where it begins between two ticks, what ended before it says that statements are short: then for one tick."""
    model, limit = limited(LOADS["point select"], 2)
    model.run(begins, 1)
    held_up = watched(model, limit)
    model.kinds = SLEEPS
    for _ in range(4):
        model.run(1, clients)
        model.run(1, 0)
    assert len(held_up) <= (begins > 5), held_up


@pytest.mark.parametrize("wait", [0.2, 2.0])
def test_what_is_learnt_of_long_statements_costs_a_tenth_of_the_time_at_most(wait: float) -> None:
    model, limit = limited((Kind("sleep", 0.0001, wait, steady=True),), 2)
    held_up = watched(model, limit)
    for seconds in (20, 60):
        model.run(seconds, 100)
        assert len(held_up) <= model.now / 0.25 / 10, held_up
    assert limit.value == HIGH, limit.explain()
