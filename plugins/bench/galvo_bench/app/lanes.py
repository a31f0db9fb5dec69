"""What is compared, and one turn of one of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from galvo_bench.app.mix import World
from galvo_bench.load.processes import Child, child
from galvo_bench.running.stand import Stand
from galvo_engraving.histogram import Histogram

IN_FLIGHT = 256
"""Requests at once at most; more are shed, as a browser's user who gives up."""


@dataclass(frozen=True, slots=True)
class Lane:
    name: str
    kind: str
    title: str


PLAIN = Lane("plain", "plain", "everything off")
AGAIN = Lane("again", "plain", "off again (A/A)")
FULL = Lane("full", "full", "everything on")
LANES = (PLAIN, AGAIN, FULL)


def turns(number: int) -> tuple[Lane, ...]:
    """Every lane once; each round starts with the next, so that drift hits all of them alike."""
    start = number % len(LANES)
    return LANES[start:] + LANES[:start]


@dataclass(slots=True)
class Turn:
    """What one turn showed, or several together."""

    due: int = 0
    done: int = 0
    shed: int = 0
    missing: int = 0
    errors: int = 0
    first_error: str = ""
    seconds: float = 0.0
    app_cpu: float = 0.0
    generator_cpu: float = 0.0
    latencies: Histogram = field(default_factory=Histogram)
    late: Histogram = field(default_factory=Histogram)
    kinds: dict[str, Histogram] = field(default_factory=dict)

    def add(self, other: Turn) -> None:
        for name in ("due", "done", "shed", "missing", "errors", "seconds", "app_cpu", "generator_cpu"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.first_error = self.first_error or other.first_error
        self.latencies.add(other.latencies)
        self.late.add(other.late)
        for kind, latencies in other.kinds.items():
            self.kinds.setdefault(kind, Histogram()).add(latencies)

    @property
    def holds(self) -> bool:
        """Whether whoever was asked kept up: nobody waited for a second, or for nothing."""
        return self.shed == self.missing == 0 and self.errors == 0 and self.latencies.quantile(0.99) < 1_000


def added(turns: Iterable[Turn]) -> Turn:
    """All of them together."""
    together = Turn()
    for turn in turns:
        together.add(turn)
    return together


class App:
    """A running application, and the port on which it answers."""

    def __init__(self, lane: Lane, process: Child, port: int) -> None:
        self.lane = lane
        self.process = process
        self.port = port
        self.revisions: Mapping[str, int] = {}
        """Of this lane's projects."""


class Load:
    """The generator: one turn at a time."""

    def __init__(self, generator: Child, drop: tuple[str, ...] = ()) -> None:
        self._generator = generator
        self._drop = drop

    async def open(self, app: App, rate: float, seconds: float, warm: float, seed: int) -> Turn:
        """At a rate. CPU is that of the time after the warm-up."""
        timed = {"rate": rate, "seconds": seconds, "warm": warm}
        self._ask(app, seed, IN_FLIGHT, open=timed)
        heard = await self._generator.hear()
        began = app.process.cpu_seconds()
        if "begun" in heard:
            heard = await self._generator.hear()
        return self._turn(app, heard, began)

    async def closed(
        self, app: App, clients: int, seed: int, *, only: str = "", drop: tuple[str, ...] = (), **until: float
    ) -> Turn:
        """As fast as it answers so many clients; `until` is seconds, requests, or both."""
        began = app.process.cpu_seconds()
        self._ask(app, seed, clients, closed=until, only=only, drop=(*self._drop, *drop))
        return self._turn(app, await self._generator.hear(), began)

    def _ask(self, app: App, seed: int, connections: int, **run: Any) -> None:
        asked = {"port": app.port, "connections": connections, "seed": seed, "drop": self._drop}
        self._generator.tell(asked | {"revisions": dict(app.revisions)} | run)

    @staticmethod
    def _turn(app: App, heard: dict[str, Any], began: float) -> Turn:
        app.revisions = heard["revisions"]
        counts = {name: heard[name] for name in ("due", "done", "shed", "missing", "errors", "first_error", "seconds")}
        return Turn(
            **counts,
            app_cpu=app.process.cpu_seconds() - began,
            generator_cpu=heard["cpu_seconds"],
            latencies=Histogram(heard["latencies"]),
            late=Histogram(heard["late"]),
            kinds={kind: Histogram(buckets) for kind, buckets in heard["kinds"].items()},
        )


@asynccontextmanager
async def load(world: World, drop: tuple[str, ...] = ()) -> AsyncIterator[Load]:
    async with child("the generator", "galvo_bench.app.generator") as generator:
        generator.tell(msgspec.to_builtins(world))
        await generator.hear()
        yield Load(generator, drop)


@asynccontextmanager
async def app(stand: Stand, lane: Lane, url: str) -> AsyncIterator[App]:
    """On a Redis of its own."""
    env = {"APP_URL": url, "APP_REDIS": await stand.redis_of(f"app-{lane.name}")}
    async with child(lane.title, "galvo_bench.app.serve", lane.kind, env=env) as process:
        yield App(lane, process, (await process.hear())["port"])


@asynccontextmanager
async def apps(stand: Stand, urls: Mapping[str, str]) -> AsyncIterator[dict[str, App]]:
    """All lanes'; those whose turn it is not wait."""
    async with AsyncExitStack() as stack:
        yield {lane.name: await stack.enter_async_context(app(stand, lane, urls[lane.name])) for lane in LANES}
