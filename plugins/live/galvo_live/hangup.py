"""SIGHUP: the settings are read again.

A process has one handler for it, and may run several kernels, or for a moment two `live` plugins of one that is being
reloaded: they all share it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
from contextlib import suppress
from typing import Any

from galvo import GalvoError
from galvo.operating import KeptHangup, Operations
from galvo_live.terminal import EVERY, Terminal

log = logging.getLogger("galvo.live")
WHO = "SIGHUP"


class Hangup:
    """Between `start` and `stop`, while `run` runs, each SIGHUP reloads the kernel of `control`."""

    def __init__(self, control: Operations) -> None:
        self.control = control
        self.asked = asyncio.Event()
        """Several signals while one waits are one: the settings are read after all of them."""

    def start(self) -> bool:
        """False: this is not the main thread, or somebody else handles or ignores it, and is left alone."""
        if not hasattr(signal, "SIGHUP") or threading.current_thread() is not threading.main_thread():
            return False
        return _handler.join(self)

    def stop(self) -> None:
        """With the kernel the handler stays to its end: other plugins stop yet, and the signal would kill them."""
        if self.control.ending:
            self.control.outlive(self._keep)
        else:
            _handler.leave(self)

    async def _keep(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            _handler.leave(self)

    async def run(self) -> None:
        """Until it is cancelled, by the very reload perhaps."""
        while True:
            await self.asked.wait()
            self.asked.clear()
            with suppress(GalvoError):  # it is in the log
                await self.control.reload(who=WHO)


class _Handler:
    """The process's one."""

    def __init__(self) -> None:
        self._members: list[Hangup] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ours: Any = None
        """What Python calls at the signal, for as long as nobody else has taken it over."""

    def join(self, member: Hangup) -> bool:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # the last one has ended without a word, and with it its handler
            self._members, self._loop, self._ours = [], loop, None
        if not self._members:
            before = signal.getsignal(signal.SIGHUP)
            kept = before if isinstance(before, KeptHangup) else None
            if kept is None and before is not signal.SIG_DFL:
                return False
            self._terminal = Terminal()
            loop.add_signal_handler(signal.SIGHUP, self._called)
            self._ours = signal.getsignal(signal.SIGHUP)
            self._look()
            if kept is not None and kept.asked:
                member.asked.set()
        elif not self._holds():
            return False
        self._members.append(member)
        return True

    def leave(self, member: Hangup) -> None:
        if member not in self._members:
            return
        self._members.remove(member)
        if member.asked.is_set() and (heir := self._current().get(member.control)):
            heir.asked.set()
        if not self._members and self._loop is not None:
            if self._timer is not None:
                self._timer.cancel()
            now = signal.getsignal(signal.SIGHUP)
            self._loop.remove_signal_handler(signal.SIGHUP)
            if now is not self._ours and now is not None:  # None: it is none of Python's
                signal.signal(signal.SIGHUP, now)
            self._ours = None

    def forked(self) -> None:
        """In a child process: it has no loop yet that could be told."""
        if self._members and self._holds():
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self._members, self._loop, self._ours = [], None, None

    def _called(self) -> None:
        if not self._holds():
            return  # asyncio calls this for whatever handler there is
        if self._terminal.just_gone():
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGHUP)
            return
        for member in self._current().values():
            if member.control.ending:
                log.warning("SIGHUP while the application ends: nothing is read again")
            else:
                member.asked.set()

    def _current(self) -> dict[Operations, Hangup]:
        """Of each kernel the latest."""
        return {member.control: member for member in self._members}

    def _holds(self) -> bool:
        return self._ours is not None and signal.getsignal(signal.SIGHUP) is self._ours

    def _look(self) -> None:
        self._terminal.look()
        loop = self._loop
        self._timer = loop.call_later(EVERY, self._look) if loop is not None and self._terminal.there else None


_handler = _Handler()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_handler.forked)
