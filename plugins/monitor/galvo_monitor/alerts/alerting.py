"""All of it together: judges, tells, and remembers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

import anyio

from galvo_monitor.alerts.engine import Engine
from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.alerts.notifying.notifier import write
from galvo_monitor.alerts.notifying.sender import Sender
from galvo_monitor.alerts.source import Source
from galvo_monitor.alerts.statefile import StateFile
from galvo_monitor.apart import Apart, Late
from galvo_monitor.view import Alert

TRIES = 3
"""To get the file: a reload's older instance has it for a moment."""
DEADLINE = 2.0
"""Seconds that the file is waited for: alerts matter most when a disk hangs."""


class Alerting:
    def __init__(
        self,
        engine: Engine,
        senders: Sequence[Sender],
        log: logging.Logger,
        *,
        file: StateFile | None = None,
        shared: bool = False,
        deadline: float = DEADLINE,
    ) -> None:
        """`shared`: other processes judge by the same numbers, so only the one that has `file` tells anybody; each does
        when nobody can have it, since an alert told twice is better than one that is not.

        `deadline`: seconds that `file` may take.
        """
        self.engine = engine
        self._senders = senders
        self._log = log
        self._file = file
        self._shared = shared and file is not None
        self._apart = Apart("galvo monitor alerts", deadline=deadline)
        self._ours = False
        self._usable = True
        """Whether it is known whose the file is."""
        self._tries = 0
        self._told: set[str] = set()

    async def run(self) -> None:
        """Tells notifiers. Never ends."""
        try:
            async with anyio.create_task_group() as tasks:
                for sender in self._senders:
                    tasks.start_soon(sender.run)
                await anyio.sleep_forever()
        finally:
            if self._file is not None:
                await self._apart.ended()
                with anyio.CancelScope(shield=True), suppress(Late):
                    # not after what hangs, or an instance that goes on in this process could never have the file
                    await Apart("galvo monitor alerts' end", deadline=1).call(self._file.close)

    async def judge(self, now: float, source: Source) -> list[Alert]:
        """Once for each interval. `now`: seconds since the epoch."""
        if self._file is not None and not self._ours:
            await self._take(self._file, now)
        told = self.engine.evaluate(now, source)
        if self._ours or not self._shared or not self._usable:
            write(self._log, told)
            firing = self.engine.firing()
            for sender in self._senders:
                sender.post(now, told, firing)
        if self._file is not None and self._ours and not self._apart.busy:
            await self._keep(self._file)
        return self.engine.alerts()

    def inherit(self, older: Alerting) -> None:
        """Go on where `older` is: the settings were loaded again, and it will end."""
        self.engine.inherit(older.engine)

    def stats(self) -> dict[str, float]:
        return {
            "rule_faults": self.engine.faults,
            "untold": sum(sender.failures for sender in self._senders),
        }

    async def _take(self, file: StateFile, now: float) -> None:
        usable, self._usable = self._usable, False
        try:
            self._ours, data, problem = await self._apart.call(lambda: _taken(file))
            self._usable = True
            if problem:
                self._say(problem)
            if data is not None:
                if self._shared and usable:
                    self.engine.forget_told()
                self.engine.restore(data, now)
        except RuleProblem as error:
            self._say(str(error))
        except Late:
            self._say(_slow(file))
        self._tries += self._usable
        if self._usable and not self._ours and not self._shared and self._tries == TRIES:
            self._say(f"{file.path} belongs to another process: this one's alerts do not survive a restart")

    async def _keep(self, file: StateFile) -> None:
        data = self.engine.save()
        if data is None:
            return
        try:
            await self._apart.call(lambda: file.write(data))
        except RuleProblem as error:
            self.engine.unsaved()
            self._say(str(error))
        except Late:
            self.engine.unsaved()
            self._say(_slow(file))

    def _say(self, sentence: str) -> None:
        """Once."""
        if sentence not in self._told:
            self._told.add(sentence)
            self._log.warning("alerts: %s", sentence)


def _taken(file: StateFile) -> tuple[bool, bytes | None, str]:
    """Whether it is this process's, what it holds, and why that cannot be read. Raises RuleProblem."""
    if not file.take():
        return False, None, ""
    try:
        return True, file.read(), ""
    except RuleProblem as error:
        return True, None, str(error)


def _slow(file: StateFile) -> str:
    return f"{file.path} does not answer, so a restart would forget newer alerts: its disk hangs"
