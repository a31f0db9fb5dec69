"""The shop with everything off and with everything on: where it stops to keep up, and what a request costs."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from galvo_bench.app import lanes, shop
from galvo_bench.app.lanes import AGAIN, FULL, LANES, PLAIN, App, Load, Turn
from galvo_bench.app.mix import SHARED
from galvo_bench.counts.proxy import Counts, counted
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import Stand, must

FIRST = 30.0
"""Requests a second of the step load's first step."""
STEP = 1.5
HIGHEST = 5_000.0
UNDER, OVER = 0.6, 1.5
"""Of the rate that the plain application just holds: where all hold, and where it does not."""
WARM = 1.5
"""Seconds of each turn that are dropped."""
SECONDS = 6.0
SHORT = 2.0
"""Of a step of the step load, after one that is dropped."""
CLIENTS = 16
"""Of the project page alone."""
COUNTED = 3_000
"""Requests whose queries are counted."""
BEFORE = {"plain": 300, "full": 8_000}
"""Requests that are not counted, by lane: a cache has to have seen what people look at."""
OWN = {"plain": 0, "full": 20_000}
"""Then so many of what customers have of their own, writes too: as much of it as four times as many of the mix ask."""
FILLING = 15.0
"""Seconds that each of these may take before something is timed."""


async def measure(stand: Stand) -> list[Section]:
    """Rounds of all lanes at two rates, the step load before, the project page and the queries after."""
    rounds = max(1, stand.rounds // 7)
    url, names = await stand.postgres(), [lane.name for lane in LANES]
    async with shop.copies(url, names) as (world, urls), lanes.load(world) as load:
        sections = await _timed(stand, load, urls, rounds)
        return [*sections, _queries(await queries(stand, load, urls))]


async def _timed(stand: Stand, load: Load, urls: Mapping[str, str], rounds: int) -> list[Section]:
    async with lanes.apps(stand, urls) as apps:
        for one in apps.values():
            await fill(load, one, FILLING)
            stand.tick()
        held = await knees(stand, load, apps)
        under, over = UNDER * held[PLAIN.name], OVER * held[PLAIN.name]
        return [
            _knee(held),
            _rate(under, apps, await at(stand, load, apps, under, rounds)),
            _rate(over, apps, await at(stand, load, apps, over, rounds)),
            _page(await page(stand, load, apps, rounds)),
        ]


async def fill(load: Load, one: App, seconds: float = 0) -> None:
    """Past what a start does once, and until a cache keeps about what it always will.

    No longer than twice `seconds`; 0: as long as it takes. Raises GalvoError.
    """
    kind = one.lane.kind
    turns = [await load.closed(one, 8, 301, requests=BEFORE[kind], seconds=seconds)]
    if OWN[kind]:
        turns.append(await load.closed(one, 8, 302, drop=SHARED, requests=OWN[kind], seconds=seconds))
    for turn in turns:
        must(turn.errors == 0, f"{turn.done} of {turn.due} were answered: {turn.first_error}")


async def knees(stand: Stand, load: Load, apps: Mapping[str, App]) -> dict[str, float]:
    """By lane: the highest step that it held. A step that fails is tried once more: others use this machine."""
    held, rate, left = {}, FIRST, [PLAIN, FULL]
    while left and rate < HIGHEST:
        for lane in list(left):
            for attempt in range(2):
                if (await load.open(apps[lane.name], rate, SHORT, SHORT / 2, seed=int(rate) + attempt)).holds:
                    held[lane.name] = rate
                    break
            else:
                left.remove(lane)
            stand.tick()
        rate *= STEP
    must(PLAIN.name in held, f"this machine is too busy: {FIRST} requests a second are too many for it")
    return held


async def at(stand: Stand, load: Load, apps: Mapping[str, App], rate: float, rounds: int) -> dict[str, Turn]:
    """By lane, all rounds together."""
    found = {lane.name: Turn() for lane in LANES}
    for number in range(rounds):
        for lane in lanes.turns(number):
            found[lane.name].add(await load.open(apps[lane.name], rate, SECONDS, WARM, seed=100 + number))
            stand.tick()
    for turn in found.values():
        must(turn.errors == 0, turn.first_error)
    return found


async def page(stand: Stand, load: Load, apps: Mapping[str, App], rounds: int) -> dict[str, list[Turn]]:
    """By lane: the turns, of project pages alone."""
    found: dict[str, list[Turn]] = {lane.name: [] for lane in LANES}
    for one in apps.values():
        await load.closed(one, CLIENTS, 200, only="project", seconds=SECONDS / 2)
    for number in range(rounds):
        for lane in lanes.turns(number):
            turn = await load.closed(apps[lane.name], CLIENTS, 201 + number, only="project", seconds=SECONDS / 2)
            must(turn.errors == 0, turn.first_error)
            found[lane.name].append(turn)
            stand.tick()
    return found


async def queries(stand: Stand, load: Load, urls: Mapping[str, str]) -> dict[str, Counts]:
    """By lane, of `COUNTED` requests: what the database was asked, counted between the two."""
    found = {}
    for lane in (PLAIN, FULL):
        counts = found[lane.name] = Counts()
        async with counted(urls[lane.name], counts) as url, lanes.app(stand, lane, url) as one:
            await fill(load, one)
            counts.clear()
            turn = await load.closed(one, 8, 303, requests=COUNTED)
            must(turn.errors == 0, f"{turn.done} of {COUNTED} were answered: {turn.first_error}")
        stand.tick()
    return found


def _knee(held: Mapping[str, float]) -> Section:
    explains = (
        f"Step load, {STEP:g} times more each step: the highest rate at which the 99th percentile is under a second "
        "and nothing is shed. Open loop, latencies from when a request was due."
    )
    rows = [Values(lane.title, {"requests a second": held[lane.name], "times": held[lane.name] / held[PLAIN.name]})
            for lane in (PLAIN, FULL) if lane.name in held]  # fmt: skip
    return Section("shop", "The shop: what it holds", explains, [*rows])


def _rate(rate: float, apps: Mapping[str, App], turns: Mapping[str, Turn]) -> Section:
    rows = []
    for lane in LANES:
        turn = turns[lane.name]
        rows.append(Values(lane.title, {
            "p50 ms": turn.latencies.quantile(0.5),
            "p99 ms": turn.latencies.quantile(0.99),
            "shed %": 100 * turn.shed / max(1, turn.due),
            "lost": turn.missing,
            "CPU ms": 1e3 * turn.app_cpu / max(1, turn.done),
            "peak MiB": apps[lane.name].process.peak_mib(),
        }))  # fmt: skip
    behind = max(turn.late.quantile(0.99) for turn in turns.values())
    cost = max(turn.generator_cpu / max(1, turn.due) for turn in turns.values()) * 1e3
    explains = (
        f"Open loop, {turns[PLAIN.name].due:,} requests of each, latencies from when they were due, {lanes.IN_FLIGHT} "
        f"in flight at most, no errors. The generator sent 99 % within {behind:.1f} ms and took {cost:.2f} ms of CPU "
        "for each."
    )
    return Section("shop", f"The shop at {rate:,.0f} requests a second", explains, [*rows])


def _page(turns: Mapping[str, list[Turn]]) -> Section:
    rows = []
    found = {lane: [turn.done / turn.seconds for turn in several] for lane, several in turns.items()}
    for lane in (PLAIN, AGAIN, FULL):
        ratios = [mine / base for mine, base in zip(found[lane.name], found[PLAIN.name], strict=True)]
        values = {"a second": median(found[lane.name]), "times": median(ratios)}
        cpu = median(1e3 * turn.app_cpu / turn.done for turn in turns[lane.name])
        rows.append(Values(lane.title, values | {"least": min(ratios), "most": max(ratios), "CPU ms": cpu}))
    explains = f"{CLIENTS} clients who ask for nothing but project pages (six tables), one after the other."
    return Section("shop", "The project page", explains, [*rows])


def _queries(found: Mapping[str, Counts]) -> Section:
    rows = []
    for lane in (PLAIN, FULL):
        counts, plain = found[lane.name], found[PLAIN.name]
        rows.append(Values(lane.title, {
            "queries": counts["queries"] / COUNTED,
            "resets": counts["resets"] / COUNTED,
            "round trips": counts["trips"] / COUNTED,
            "queries less, %": 100 * (1 - counts["queries"] / plain["queries"]),
        }))  # fmt: skip
    explains = (
        f"What PostgreSQL is asked for a request, counted on the wire: {COUNTED:,} requests of the mix, after "
        f"{BEFORE[FULL.name]:,} and {OWN[FULL.name]:,} of customers' own that fill the cache. A write asks what it "
        "always asks. Resets are a pool's own, and no queries here."
    )
    return Section("shop", "The shop's queries", explains, [*rows])
