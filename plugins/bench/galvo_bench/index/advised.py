"""What galvo's advice does to the shop's queries: server CPU, from a schema without secondary indexes."""

from __future__ import annotations

import msgspec

from galvo_bench.index.lanes import Change
from galvo_bench.index.shop import Lanes, pages, requests, shop_lanes, turns
from galvo_bench.method.rounds import Result
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand

SCALE = 1.0
"""With less, most tables are so small that no index is advised."""
WORKS = {"project pages": (pages, 60), "all requests": (requests, 1_000)}
"""Each with how many of them a turn makes."""


class Compared(msgspec.Struct, frozen=True):
    rows: dict[str, list[Result]]
    """By work: the lanes."""
    advice: tuple[str, ...]
    exact: bool
    """Whether the server's CPU could be read; else it is wall time."""

    @property
    def clock(self) -> str:
        return "CPU of the server" if self.exact else "wall time (the server is elsewhere)"

    def sections(self, subject: str) -> list[Section]:
        explains = f"{self.clock}; the indexes that galvo advises: {'; '.join(self.advice) or 'none'}."
        return [
            Section(subject, f"Advised indexes: the shop's {work}", explains, [*rows])
            for work, rows in self.rows.items()
        ]


async def measure(stand: Stand) -> list[Section]:
    """Project pages, and all requests (reads and writes), without indexes, with those advised, with those by hand."""
    return (await compared(stand)).sections("advice")


async def compared(stand: Stand) -> Compared:
    async with shop_lanes(await stand.postgres(), SCALE, bare=True, each=lambda _: None) as shop:
        exact = all(lane.backend.exact for lane in shop.crew.values())
        rows = {work: await _rows(stand, shop, work) for work in WORKS}
        return Compared(rows, shop.advice.indexes, exact)


async def _rows(stand: Stand, shop: Lanes, work: str) -> list[Result]:
    make, count = WORKS[work]
    changes = await turns(shop, make(shop.world, count), stand.few, lambda _: stand.tick())
    return [_row(name, change, count, stand.few) for name, change in changes.items()]


def _row(name: str, change: Change, count: int, rounds: int) -> Result:
    return Result(name, change.seconds / count, change.ratio, change.low, change.high, rounds)
