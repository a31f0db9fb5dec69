"""Tells one notifier, in a task of its own, so that one that hangs is in nobody's way."""

from __future__ import annotations

import logging
from collections.abc import Iterable

import anyio

from galvo_monitor.alerts.notifying.endpoint import Refused
from galvo_monitor.alerts.notifying.notifier import Notifier
from galvo_monitor.alerts.transition import Transition
from galvo_monitor.insights.words import many

MOST = 1000
"""Alerts that wait to be told: of each only the newest."""
FIRST, LONGEST = 5.0, 300.0
"""Seconds until it is tried again."""


class Sender:
    def __init__(self, notifier: Notifier, log: logging.Logger, *, first: float = FIRST) -> None:
        self.notifier = notifier
        self.failures = 0
        self._log = log
        self._first = first
        self._waiting: dict[object, Transition] = {}
        self._posted = anyio.Event()
        self._resent = float("-inf")
        self._failing = False

    def post(self, now: float, told: Iterable[Transition], firing: Iterable[Transition]) -> None:
        """Never waits. `told` is new, and `firing` all that fires. `now`: seconds since the epoch."""
        resend = self.notifier.resend
        if resend is not None and not 0 <= now - self._resent < resend:
            self._resent = now
            self._keep(firing)
        self._keep(told)
        while len(self._waiting) > MOST:
            del self._waiting[next(iter(self._waiting))]
        if self._waiting:
            self._posted.set()

    async def run(self) -> None:
        """Never ends."""
        try:
            while True:
                await self._posted.wait()
                await self._send()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(1):
                await self.notifier.close()

    async def _send(self) -> None:
        pause = self._first
        while self._waiting:
            batch, self._waiting = self._waiting, {}
            try:
                await self.notifier.send(list(batch.values()))
            except Refused as error:
                self._failed(str(error), lost=len(batch))
            except Exception as error:  # noqa: BLE001  # a notifier of somebody else's may raise anything
                self._failed(str(error) or type(error).__name__)
                self._waiting = {**batch, **self._waiting}  # what is newer is told instead
                await anyio.sleep(pause)
                pause = min(2 * pause, LONGEST)
            else:
                if self._failing:
                    self._log.info("%s can be told of alerts again", self.notifier.name)
                self._failing = False
        self._posted = anyio.Event()

    def _keep(self, told: Iterable[Transition]) -> None:
        for one in told:
            self._waiting.pop(one.key, None)
            self._waiting[one.key] = one

    def _failed(self, sentence: str, lost: int = 0) -> None:
        self.failures += 1
        if not self._failing:
            after = f"; {many(lost, 'alert is', 'alerts are')} not told" if lost else "; it is tried again"
            self._log.warning("alerts: %s%s", sentence, after)
        self._failing = True
