"""What need not be awaited: acknowledgements and releases, sent in batches."""

from __future__ import annotations

import anyio

from galvo_cache.coherence.scripts import HOLD, RELEASE
from galvo_cache.coherence.server import Away, Server
from galvo_cache.coherence.wire import Ack, encode

BATCH = 500


class Acks:
    """A lost one costs the writer the rest of our lease, nothing else: so it is not sent twice."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._due: dict[bytes, list[bytes]] = {}
        self._some = anyio.Event()

    def add(self, id: bytes) -> None:
        self._due.setdefault(id[:6], []).append(id)
        self._some.set()

    def clear(self) -> None:
        self._due = {}

    async def send(self, member: bytes) -> None:
        """Send as `member` until cancelled."""
        while True:
            await self._some.wait()
            self._some = anyio.Event()
            due, self._due = self._due, {}
            messages = [
                (writer, encode(Ack(member, ids[start : start + BATCH])))
                for writer, ids in due.items()
                for start in range(0, len(ids), BATCH)
            ]
            try:
                if messages:
                    await self._server.publish(messages)
            except Away:
                continue


class Releases:
    """Marks to take back, in order, until Redis has done it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._held: dict[bytes, None] = {}
        self._ended: dict[bytes, None] = {}
        self._some = anyio.Event()

    def __len__(self) -> int:
        return len(self._ended)

    def __contains__(self, id: bytes) -> bool:
        return id in self._ended

    def end(self, ids: list[bytes]) -> None:
        self._ended |= dict.fromkeys(ids)
        self._some.set()

    def hold(self, ids: list[bytes]) -> None:
        """Their outcome is open from now on: whoever takes them back for us must wait as long."""
        self._held |= dict.fromkeys(ids)
        self._some.set()

    async def send(self) -> None:
        """Send until cancelled."""
        pause = 0.05
        while True:
            await self._some.wait()
            self._some = anyio.Event()
            try:
                await self._step()
                pause = 0.05
            except Away:
                await anyio.sleep(pause)
                pause = min(pause * 2, 2.0)
            if self._held or self._ended:
                self._some.set()

    async def flush(self) -> None:
        """Send what is due, once. Raises Away."""
        while self._held or self._ended:
            await self._step()

    async def _step(self) -> None:
        if held := list(self._held)[:BATCH]:
            await self._server.run(HOLD, *held)
            for id in held:
                del self._held[id]
        if ended := list(self._ended)[:BATCH]:
            await self._server.run(RELEASE, *ended)
            for id in ended:
                del self._ended[id]
