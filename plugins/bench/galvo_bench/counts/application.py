"""The engraving shop over HTTP: what each kind of request asks of PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn

from galvo import Kernel
from galvo_bench.app import shop
from galvo_bench.app.mix import MIX, Mix, World, get
from galvo_bench.counts import pins
from galvo_bench.counts.galvanised import quiet, ready, undisturbed
from galvo_bench.counts.wires import SUBJECT, Quiet, Wires, at_once, wired
from galvo_bench.load.loops import Request
from galvo_bench.load.wire import connected
from galvo_bench.results.model import Section, Values
from galvo_bench.running.stand import must
from galvo_engraving.app import create_app
from galvo_engraving.config import EngravingSettings
from galvo_engraving.serving.opening import galvanised, plain
from galvo_engraving.shop import Shop

NAME = "galvo_bench_counts"
SCALE = 0.02
WRITES = ("rename", "part", "queue", "tune")
AFTER = {"rename": ("project, renamed", "project"), "tune": ("sheet, tuned", "sheet")}
"""What is looked at after a write."""
EXPLAINS = (
    "Of one request over HTTP, counted on the wire: queries, round trips, a pool's resets, bytes to and from "
    "PostgreSQL; commands to Redis, bytes of answers there. First: nobody has asked for it before."
)


async def measure(postgres: str, redis: str, root: Path) -> list[Section]:
    """A section with everything off, and one with everything on."""
    async with shop.copies(postgres, ("off", "on"), NAME, SCALE) as (world, urls):
        async with wired(urls["off"]) as wires:
            opened = plain(wires.postgres, EngravingSettings(), pins.settings(wires.postgres), root)
            async with opened as off:
                rows = await _asked(wires, off, world, at_once)
        sections = [Section(SUBJECT, "shop: everything off", EXPLAINS, [*rows], exact=True)]
        async with pins.shared(redis, NAME), wired(urls["on"], redis) as wires:
            overrides = pins.settings(wires.postgres, wires.redis, NAME)
            async with galvanised(EngravingSettings(warm=0), overrides, root) as on:
                assert on.kernel is not None  # noqa: S101  # it was opened so
                await ready(on.kernel)
                rows = await _asked(wires, on, world, _quiet(on.kernel))
                undisturbed(on.kernel)
        return [*sections, Section(SUBJECT, "shop: everything on", EXPLAINS, [*rows], exact=True)]


def _quiet(kernel: Kernel) -> Quiet:
    return lambda: quiet(kernel)


async def _asked(wires: Wires, opened: Shop, world: World, quiet: Quiet) -> list[Values]:
    rows = []
    async with _served(opened) as send:
        mixes = {kind: Mix(world, 1, only=kind) for kind in MIX}

        async def ask(name: str, request: Request, mix: Mix | None = None) -> None:
            bodies: list[bytes] = []

            async def once() -> None:
                bodies.append(await send(request))

            rows.append(await wires.during(name, once, quiet))
            if mix is not None:
                mix.learn(request, bodies[0])

        page = Request("page", b"GET / HTTP/1.1\r\nhost: shop\r\n\r\n")
        reads = {"page": page, "machines": get("machines", "machines")}
        reads |= {kind: mixes[kind].next() for kind in MIX if kind not in WRITES}
        for kind, request in reads.items():
            await ask(f"{kind}, first", request)
            await ask(f"{kind}, again", request)
        for kind in WRITES:
            await ask(f"{kind}, first", mixes[kind].next(), mixes[kind])
            await ask(f"{kind}, again", mixes[kind].next(), mixes[kind])
            if kind in AFTER:
                name, read = AFTER[kind]
                await ask(name, reads[read])
    return rows


@asynccontextmanager
async def _served(opened: Shop) -> AsyncIterator[Callable[[Request], asyncio.Future[bytes]]]:
    """Sends a request over one kept connection. Raises GalvoError for an answer that is an error."""
    async with AsyncExitStack() as stack:
        bound = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does so only on sockets that it makes
        app = create_app(shop=opened)
        server = uvicorn.Server(
            uvicorn.Config(app, loop="asyncio", lifespan="off", log_level="critical", timeout_keep_alive=pins.DAY)
        )
        serving = asyncio.create_task(server.serve([bound]))
        try:
            async with connected(bound.getsockname()[1], 1) as free:

                def send(request: Request) -> asyncio.Future[bytes]:
                    answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

                    def done(status: int, body: bytes) -> None:
                        if answer.cancelled():
                            return
                        try:
                            must(200 <= status < 300, f"{request.kind}: {status} {body[:200].decode(errors='replace')}")
                        except Exception as error:  # noqa: BLE001  # for who waits
                            answer.set_exception(error)
                        else:
                            answer.set_result(body)

                    free.popleft().send(request.payload, done)
                    return answer

                yield send
        finally:
            server.should_exit = server.force_exit = True
            await serving
