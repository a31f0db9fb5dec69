"""SIEVE against a naive model of the paper, its bound, and its hit ratio."""

from __future__ import annotations

import bisect
import itertools
import random
from collections import OrderedDict
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from galvo_cache.sieve import Entry, Sieve

OVERHEAD = Entry(SimpleNamespace(), {}, 0, SimpleNamespace(weight=0, shared=False), 0, 0).weight  # type: ignore[arg-type]  # a stub


def entry(plan: Any, home: dict[Any, Entry], key: Any, weight: int) -> Entry:
    """An entry that weighs `weight` in all, key included; keys are small ints."""
    answer: Any = SimpleNamespace(weight=weight, shared=False)
    made = Entry(plan, home, key, answer, plan.generation, 1e12)
    made.weight = weight
    return made


class Naive:
    """A list from oldest to newest and a hand, as in the paper; all linear."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.items: list[tuple[Any, int]] = []
        self.visited: dict[Any, bool] = {}
        self.dead: set[Any] = set()
        self.hand: Any = None

    @property
    def bytes(self) -> int:
        return sum(weight for _, weight in self.items)

    def place(self) -> int:
        keys = [key for key, _ in self.items]
        return keys.index(self.hand) if self.hand in keys else 0

    def after(self, place: int) -> Any:
        return self.items[place + 1][0] if place + 1 < len(self.items) else None

    def remove(self, key: Any) -> None:
        place = [item for item, _ in self.items].index(key)
        if self.hand == key:
            self.hand = self.after(place)
        del self.items[place], self.visited[key]
        self.dead.discard(key)

    def shrink(self, target: int) -> None:
        while self.items and self.bytes > target:
            place = self.place()
            key = self.items[place][0]
            if self.visited[key] and key not in self.dead:
                self.visited[key] = False
                self.hand = self.after(place)
            else:
                self.hand = key
                self.remove(key)

    def add(self, key: Any, weight: int) -> None:
        if key in self.visited:
            self.remove(key)
        if weight > self.limit:
            return
        self.shrink(self.limit - weight)
        self.items.append((key, weight))
        self.visited[key] = False


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.sieve = Sieve(1000)
        self.model = Naive(1000)
        self.plans = [SimpleNamespace(generation=0) for _ in range(3)]
        self.home: dict[Any, Entry] = {}
        self.gone: list[Entry] = []

    @rule(key=st.integers(0, 30), weight=st.integers(1, 400) | st.sampled_from([999, 1000, 1001]))
    def add(self, key: int, weight: int) -> None:
        if key in self.home:
            self.gone.append(self.home[key])
        self.sieve.add(entry(self.plans[key % 3], self.home, key, weight))
        self.model.add(key, weight)

    @rule(key=st.integers(0, 30))
    def hit(self, key: int) -> None:
        if key in self.home:
            self.home[key].visited = True
            self.model.visited[key] = True

    @precondition(lambda self: self.home)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.home)))
        self.gone.append(self.home[key])
        self.sieve.remove(self.home[key])
        self.model.remove(key)

    @precondition(lambda self: self.gone)
    @rule()
    def remove_again(self) -> None:
        self.sieve.remove(self.gone[-1])

    @rule(goal=st.integers(-10, 1000))
    def shrink(self, goal: int) -> None:
        before = self.sieve.bytes
        freed = self.sieve.shrink(goal)
        assert freed == before - self.sieve.bytes
        assert self.sieve.bytes <= max(goal, 0)
        self.model.shrink(goal)

    @rule(plan=st.integers(0, 2))
    def write(self, plan: int) -> None:
        self.plans[plan].generation += 1
        self.model.dead |= {key for key in self.home if key % 3 == plan}

    @invariant()
    def same_as_the_model(self) -> None:
        kept = self.sieve._oldest, self.sieve._newest
        keys, back = [], []
        item = kept[0]
        while item is not None:
            keys.append(item.key)
            item = item.newer
        item = kept[1]
        while item is not None:
            back.append(item.key)
            item = item.older
        assert keys == back[::-1] == [key for key, _ in self.model.items]
        assert set(keys) == set(self.home)
        assert self.sieve.entries == len(keys)
        assert self.sieve.bytes == self.model.bytes <= 1000


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestMachine = Machine.TestCase


def zipf(keys: int, exponent: float, count: int, seed: int) -> list[int]:
    chance = random.Random(seed)
    total = list(itertools.accumulate(1 / (rank + 1) ** exponent for rank in range(keys)))
    return [bisect.bisect(total, chance.random() * total[-1]) for _ in range(count)]


def test_at_least_five_points_above_lru() -> None:
    reads = zipf(20_000, 0.9, 100_000, 7)
    lru: OrderedDict[int, None] = OrderedDict()
    sieve, home, plan = Sieve(1000 * 10), {}, SimpleNamespace(generation=0)
    recent = hits = 0
    for key in reads:
        if key in lru:
            recent += 1
            lru.move_to_end(key)
        else:
            lru[key] = None
            if len(lru) > 1000:
                lru.popitem(last=False)
        if key in home:
            hits += 1
            home[key].visited = True
        else:
            sieve.add(entry(plan, home, key, 10))
    assert sieve.entries == len(lru) == 1000
    assert (hits - recent) / len(reads) >= 0.05, (hits / len(reads), recent / len(reads))


def test_dead_entries_get_no_second_chance() -> None:
    living, dying = SimpleNamespace(generation=0), SimpleNamespace(generation=0)
    home: dict[Any, Entry] = {}
    sieve = Sieve(100)
    for key in range(10):
        sieve.add(entry(dying if key % 2 else living, home, key, 10))
        home[key].visited = True
    dying.generation += 1
    sieve.shrink(50)
    assert sorted(home) == [0, 2, 4, 6, 8]


def test_what_is_larger_than_all_is_not_kept_and_costs_nobody_its_place() -> None:
    plan, home = SimpleNamespace(generation=0), {}
    sieve = Sieve(100)
    sieve.add(entry(plan, home, 1, 60))
    sieve.add(entry(plan, home, 2, 101))
    assert sorted(home) == [1]
    assert sieve.bytes == 60


def test_a_replaced_entry_frees_its_bytes() -> None:
    plan, home = SimpleNamespace(generation=0), {}
    sieve = Sieve(1000)
    for weight in (100, 300, 50):
        sieve.add(entry(plan, home, 1, weight))
        assert (sieve.bytes, sieve.entries) == (weight, 1)
    sieve.remove(home[1])
    assert (sieve.bytes, sieve.entries, home) == (0, 0, {})


def test_the_entry_weighs_its_key() -> None:
    plan: Any = SimpleNamespace(generation=0)
    answer: Any = SimpleNamespace(weight=10, shared=False)
    assert Entry(plan, {}, (str, "x" * 1000), answer, 0, 0).weight > 1000 + OVERHEAD
