"""The application from the first server to the last request."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import webbrowser
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

from galvo.operating import keep_hangup
from galvo_embedded import Servers
from galvo_engraving import config
from galvo_engraving.app import create_app
from galvo_engraving.serving import environment, preparing
from galvo_engraving.serving.hand import kept_running
from galvo_engraving.serving.http import Server, listening
from galvo_engraving.serving.minding import minded
from galvo_engraving.serving.opening import galvanised, plain
from galvo_engraving.serving.options import Options
from galvo_engraving.shop import Shop

DATA = Path(".galvo")


async def serve(options: Options) -> None:
    """Until Ctrl-C, SIGTERM, or `options.seconds` are over. Raises GalvoError, in one sentence."""
    settings = config.read()
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s", level=logging.WARNING)
    async with AsyncExitStack() as stack:
        socket = stack.enter_context(listening(options.host, options.port, another=options.another_port))
        starting = stack.enter_context(ExitStack())
        starting.enter_context(keep_hangup())
        servers = Servers(DATA)
        stack.callback(servers.close)
        url, staff = await _database(options, servers)
        if options.plain:
            shop = await stack.enter_async_context(plain(url, settings))
        else:
            environment.prepare(url, await servers.redis(), options.without)
            shop = await stack.enter_async_context(galvanised(settings, {}))
            if "tasks" not in options.without:
                await stack.enter_async_context(kept_running(DATA))
        app = create_app(shop=shop, hosts=(options.host,))
        server = Server(app)
        await stack.enter_async_context(_signals(server, options.seconds))
        await stack.enter_async_context(minded(servers, say, server.end))
        starting.close()
        host, port = socket.getsockname()[:2]
        address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        _tell(address, shop, staff)
        if options.open:
            await asyncio.to_thread(webbrowser.open, address)
        await server.serve([socket])
        say("stopping")
    say("stopped; nothing is left running")


async def _database(options: Options, servers: Servers) -> tuple[str, bool]:
    """Its URL, and whether the staff's account was made in it."""
    if options.url:
        await preparing.agreed(options.url)
        return options.url, False
    say(f"starting PostgreSQL in {DATA}")
    return await preparing.own(await servers.postgres(), DATA, say), True


@asynccontextmanager
async def _signals(server: Server, seconds: float | None) -> AsyncIterator[None]:
    loop, timer = asyncio.get_running_loop(), None

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.end)
    if seconds is not None:
        timer = loop.call_later(seconds, server.end)
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
        # What is left to do is short, and a second Ctrl-C would leave it half done.


def _tell(address: str, shop: Shop, staff: bool) -> None:
    say(f"engraving is on {address} (Ctrl-C ends it)")
    if staff:
        say(f"  staff: {preparing.EMAIL}, password in {DATA / preparing.PASSWORD}")
    if shop.kernel is not None:
        running = [one["name"] for one in shop.kernel.plugins() if one["state"] == "active"]
        say(f"  dashboard, for the staff: {address}/galvo")
        say(f"  plugins: {', '.join(running)}")
        say("  switched while it runs: galvo disable cache, galvo enable cache")
    else:
        say("  without galvo")


def say(sentence: str) -> None:
    sys.stderr.write(f"galvo: {sentence}\n")
    sys.stderr.flush()
