"""Hit ratios of eviction policies on a Zipf load, with and without scans. Counted, not timed."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from itertools import accumulate
from statistics import mean
from types import SimpleNamespace
from typing import Any, cast

from galvo import Rows
from galvo_bench.results.model import Section, Values
from galvo_bench.running.peers import attempt, need
from galvo_bench.running.stand import Stand
from galvo_cache.answers import Answer
from galvo_cache.plans import Plan
from galvo_cache.sieve import Entry, Sieve

ENTRIES = 1_000
KEYS = 20_000
READS = 300_000
EXPONENT = 0.9
SCAN = 2_000
SCAN_EVERY = 20_000
DRAWS = 3
"""Runs of a policy that draws lots."""

Ask = Callable[[int], bool]
"""Whether a key was a hit; a missed key is stored."""


async def measure(stand: Stand) -> list[Section]:
    """Every policy on the same two sequences of reads."""
    plain = list(reads(scans=False))
    stand.tick()
    scanned = list(reads(scans=True))
    rows = []
    for name, policy in POLICIES.items():

        async def ratios(policy: Callable[[], Ask] = policy) -> dict[str, float]:
            draws = DRAWS if policy is theine else 1
            return {
                "hit ratio": mean(ratio(policy(), plain) for _ in range(draws)),
                "with scans": mean(ratio(policy(), scanned) for _ in range(draws)),
            }

        found = await (attempt(name, ratios) if policy in PEERS else ratios())
        rows.append(Values(name, found) if isinstance(found, dict) else found)
        stand.tick()
    title = f"Hit ratio with {ENTRIES:,} entries, Zipf {EXPONENT}, {KEYS:,} keys, {READS:,} reads"
    explains = (
        f"Seeded. With scans: every {SCAN_EVERY:,} reads, {SCAN:,} keys that are read once, all misses. "
        f"theine hashes with a seed of its own: mean of {DRAWS} runs."
    )
    return [Section("eviction", title, explains, [*rows])]


def reads(*, scans: bool) -> Iterator[int]:
    """Keys, the popular ones anywhere among the numbers from 1 to 20,000; those of scans are above."""
    source = random.Random(42)  # noqa: S311  # a load, not a secret
    keys = list(range(1, KEYS + 1))
    source.shuffle(keys)
    weights = list(accumulate(rank**-EXPONENT for rank in range(1, KEYS + 1)))
    once = KEYS
    for number, key in enumerate(source.choices(keys, cum_weights=weights, k=READS), 1):
        yield key
        if scans and number % SCAN_EVERY == 0:
            yield from range(once + 1, once + SCAN + 1)
            once += SCAN


def ratio(ask: Ask, keys: list[int]) -> float:
    """Hits by reads."""
    return sum(map(ask, keys)) / len(keys)


def sieve() -> Ask:
    """galvo's own store, used as the plugin uses it; all entries weigh the same."""
    home: dict[Hashable, Entry] = {}
    plan = cast("Plan", SimpleNamespace(generation=0))
    answer = Answer(Rows([("row",)]), 10_000)
    store = Sieve(ENTRIES * Entry(plan, home, 1, answer, 0, 0).weight)

    def ask(key: int) -> bool:
        entry = home.get(key)
        if entry is None:
            store.add(Entry(plan, home, key, answer, 0, 0))
            return False
        entry.visited = True
        return True

    return ask


def lru() -> Ask:
    """The standard library's, with one look-up a hit."""
    kept: OrderedDict[int, None] = OrderedDict()

    def ask(key: int) -> bool:
        if key in kept:
            kept.move_to_end(key)
            return True
        kept[key] = None
        if len(kept) > ENTRIES:
            kept.popitem(last=False)
        return False

    return ask


def theine() -> Ask:
    """W-TinyLFU (Einziger, Friedman, Manes: TinyLFU, 2015)."""
    cache = need("theine").Cache(ENTRIES)

    def ask(key: int) -> bool:
        _, hit = cache.get(key)
        if not hit:
            cache.set(key, key)
        return bool(hit)

    return ask


def cachebox_lfu() -> Ask:
    return _mapping(need("cachebox").LFUCache(ENTRIES))


def cachebox_lru() -> Ask:
    return _mapping(need("cachebox").LRUCache(ENTRIES))


def _mapping(cache: Any) -> Ask:
    def ask(key: int) -> bool:
        if cache.get(key) is not None:
            return True
        cache[key] = key
        return False

    return ask


POLICIES: dict[str, Callable[[], Ask]] = {
    "LRU (OrderedDict)": lru,
    "LRU (cachebox)": cachebox_lru,
    "LFU (cachebox)": cachebox_lfu,
    "W-TinyLFU (theine)": theine,
    "SIEVE (galvo)": sieve,
}
PEERS = (cachebox_lru, cachebox_lfu, theine)
