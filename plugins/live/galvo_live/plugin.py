"""The plugin: what it hears, and what it watches."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import cast

import anyio

from galvo import Context, GalvoError, Plugin
from galvo.operating import Operations
from galvo_live.hangup import Hangup
from galvo_live.questions import AT_ONCE, NAME, Questions
from galvo_live.settings import LiveSettings
from galvo_live.watchdog import Block, Watchdog, culprit
from galvo_local import Answering, Surviving

WHERE = "the event loop"


class LivePlugin(Plugin):
    """Switches plugins and reads settings again while the application runs; names who blocks its event loop."""

    name = "live"
    api = ">=1.2,<2"
    settings_type = LiveSettings

    def __init__(self, settings: LiveSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._control = cast("Operations", context.control)
        self.watchdog = Watchdog(settings.watch, self._told, self._hung) if settings.watch else None
        self._ended: deque[Block] = deque()
        self._seen = asyncio.Event()
        self._blocks = 0
        self._blocked = 0.0

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        hangup = Hangup(self._control) if self._settings.sighup else None
        questions = Questions(self._control)
        async with anyio.create_task_group() as tasks:
            if self._settings.answer:
                # What it does may replace this plugin, and whoever has asked still gets an answer.
                answering = Answering(NAME, questions, Surviving(self.context.log).part, self._control.outlive, AT_ONCE)
                tasks.start_soon(answering.run)
                await answering.ready.wait()
            try:
                if hangup is not None and hangup.start():
                    tasks.start_soon(hangup.run)
                if self.watchdog is not None:
                    tasks.start_soon(self._tell)
                    self.watchdog.start()
                with questions.answering() if self._settings.answer else nullcontext():
                    yield
            finally:
                if self.watchdog is not None:
                    self.watchdog.stop()
                if hangup is not None:
                    hangup.stop()
            tasks.cancel_scope.cancel()

    async def _tell(self) -> None:
        """In a task, for what a fault may have started."""
        while True:
            await self._seen.wait()
            self._seen.clear()
            while self._ended:
                self._tell_of(self._ended.popleft())

    def _told(self, block: Block) -> None:
        self._ended.append(block)
        self._seen.set()

    def _tell_of(self, block: Block) -> None:
        self._blocks += 1
        self._blocked += block.seconds
        site = culprit(block.stack, self._control.running())
        if site.plugin and not block.importing:
            self._control.fault(site.plugin, WHERE, GalvoError(f"blocked for {block.seconds:.2f} s at {site}"))
        else:
            who = f"plugin {site.plugin!r}, importing," if site.plugin else "the application"
            self.context.log.info("%s blocked the event loop for %.2f s at %s", who, block.seconds, site)

    def _hung(self, block: Block) -> None:
        """In the watchdog's thread: it may never go on."""
        site = culprit(block.stack, self._control.running())
        who = f"plugin {site.plugin!r}" if site.plugin else "the application"
        self.context.log.error(
            "%s has blocked the event loop for %.0f s at %s, and still does", who, block.seconds, site
        )

    def stats(self) -> dict[str, float]:
        changes = self._control.changes
        return {
            "changes": len(changes),
            "refused": sum(bool(change.problem) for change in changes),
            "blocks": self._blocks,
            "blocked_seconds": self._blocked,
        }
