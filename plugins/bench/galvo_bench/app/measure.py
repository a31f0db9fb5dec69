"""The shop with everything off and with everything on: where it stops to keep up, and what a request costs."""

from __future__ import annotations

from collections.abc import Mapping

from galvo_bench.app import lanes, sections
from galvo_bench.app.lanes import FULL, LANES, PLAIN, App, Load, Turn
from galvo_bench.app.pairs import Turns
from galvo_bench.app.ready import databases, fill, running
from galvo_bench.app.steps import climbs
from galvo_bench.counts.proxy import Counts, counted
from galvo_bench.load.watching import watched
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand, must

UNDER, OVER = 0.6, 1.5
"""Of the rate that the plain application just holds: where all hold, and where it does not."""
WARM = 1.5
"""Seconds of each turn that are dropped."""
SECONDS = 4.0
CLIENTS = 16
"""Of the project page alone."""
PAGE = 1.0
"""Seconds of a turn of it; in six rounds and more."""
COUNTED = 1_500
"""Requests whose queries are counted."""
FILLING = 6.0
"""Seconds that a cache is filled, at most, and again as many for what customers have of their own."""


async def measure(stand: Stand) -> list[Section]:
    """The engraving shop, all off against all on: step load, two fixed rates, its largest page, queries on the wire."""
    async with databases(stand) as (load, urls):
        timed = await _timed(stand, load, urls)
        return [*timed, sections.queries(COUNTED, await queries(stand, load, urls))]


async def _timed(stand: Stand, load: Load, urls: Mapping[str, str]) -> list[Section]:
    rounds = max(1, stand.rounds // 7)
    async with running(stand, load, urls, FILLING) as apps:
        async with watched({name: one.process for name, one in apps.items()}) as memory:
            climbed = await climbs(stand, load, apps)
            under, over = UNDER * climbed[PLAIN.name].held, OVER * climbed[PLAIN.name].held
            slow, fast = [await at(stand, load, apps, rate, rounds) for rate in (under, over)]
            pages = await page(stand, load, apps)
        peaks = {name: one.process.peak_mib() for name, one in apps.items()}
    return [
        sections.held(climbed),
        sections.at_rate(under, slow),
        sections.at_rate(over, fast),
        *sections.pages(CLIENTS, pages),
        sections.memory(peaks, memory),
    ]


async def at(stand: Stand, load: Load, apps: Mapping[str, App], rate: float, rounds: int) -> dict[str, Turn]:
    """By lane, all rounds together."""
    found = {lane.name: Turn() for lane in LANES}
    for number in range(rounds):
        for lane in lanes.turns(number):
            seed = 100 * round(rate) + number  # at no rate what was asked at the other
            found[lane.name].add(await load.open(apps[lane.name], rate, SECONDS, WARM, seed))
            stand.tick()
    for turn in found.values():
        must(turn.errors == 0, turn.first_error)
    return found


async def page(stand: Stand, load: Load, apps: Mapping[str, App]) -> Turns:
    """Of project pages alone."""
    for one in apps.values():
        await load.closed(one, CLIENTS, 200, only="project", seconds=2 * PAGE)
    found: dict[str, list[Turn]] = {lane.name: [] for lane in LANES}
    for number in range(stand.few):
        for lane in lanes.turns(number):
            turn = await load.closed(apps[lane.name], CLIENTS, 201 + number, only="project", seconds=PAGE)
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
