"""What the plugin does: it looks at each value, and tells somebody in the background."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import anyio
from anyio import to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from galvo import Context, Metric, Plugin, PluginError, hookimpl

from galvo_webhook.posting import Later, Refused, post
from galvo_webhook.settings import Rule, WebhookSettings

LONGEST_PAUSE = 60
"""Seconds between two attempts."""


class WebhookPlugin(Plugin):
    """Posts {"text": ...} to a URL, as Slack and its likes take it, when a metric is above a threshold."""

    name = "webhook"
    api = ">=1,<2"
    settings_type = WebhookSettings

    def __init__(self, settings: WebhookSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._rules: dict[str, list[Rule]] = {}
        for rule in settings.rules:
            self._rules.setdefault(rule.metric, []).append(rule)
        self._last: dict[Rule, float] = {}
        self._held: dict[Rule, int] = {}
        self._sent = self._dropped = self._lost = 0
        self._inbox: MemoryObjectSendStream[str]  # while it runs

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Messages that still wait at the end have `farewell` seconds."""
        if not self._settings.url.get_secret_value():
            raise PluginError(self.name, "has nowhere to post: set GALVO_WEBHOOK__URL=https://...")
        self._inbox, outbox = anyio.create_memory_object_stream[str](self._settings.queue)
        with self._inbox, outbox:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._deliver, outbox)
                yield
                self._inbox.close()
                tasks.cancel_scope.deadline = anyio.current_time() + self._settings.farewell

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        """On the hot path: a look into a dict for what no rule names; never a wait."""
        for rule in self._rules.get(metric.name, ()):
            if value > rule.above:
                self._tell(rule, metric, value)

    def _tell(self, rule: Rule, metric: Metric, value: float) -> None:
        now = monotonic()
        if now - self._last.get(rule, float("-inf")) < self._settings.quiet:
            self._held[rule] = self._held.get(rule, 0) + 1
            return
        of = "".join(f" {key}={name}" for key, name in metric.attributes)
        held = self._held.pop(rule, 0)
        more = f" ({held} more since the last message)" if held else ""
        try:
            self._inbox.send_nowait(f"{metric.name}{of} is {value:g} {metric.unit}, above {rule.above:g}{more}")
        except anyio.WouldBlock:
            self._dropped += 1
        else:
            self._last[rule] = now

    async def _deliver(self, outbox: MemoryObjectReceiveStream[str]) -> None:
        async for text in outbox:
            await self._send(text)

    async def _send(self, text: str) -> None:
        """In a thread, since urllib waits; an attempt that is cancelled ends there by its timeout."""
        settings, why = self._settings, ""
        for attempt in range(settings.attempts):
            try:
                url = settings.url.get_secret_value()
                await to_thread.run_sync(post, url, {"text": text}, settings.timeout, abandon_on_cancel=True)
            except Refused as error:
                why = str(error)
                break
            except Later as error:
                why = str(error)
                if attempt < settings.attempts - 1:
                    pause = error.after or settings.backoff * 2**attempt * random.uniform(0.8, 1.2)  # noqa: S311  # spread
                    await anyio.sleep(min(pause, LONGEST_PAUSE))
            else:
                self._sent += 1
                return
        self._lost += 1
        self.context.log.warning("a message could not be posted: %s", why)

    def stats(self) -> dict[str, float]:
        """Counters since the start."""
        held = sum(self._held.values())
        return {"sent": self._sent, "lost": self._lost, "dropped": self._dropped, "held": held}
