"""SIGHUP that comes before anybody can read settings again at it: kept, where it would end the process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class KeptHangup:
    """What Python calls at the signal until somebody takes it over, who then does what was `asked`."""

    asked: bool
    """It came."""

    def __init__(self) -> None:
        self.asked = False
        self._process = os.getpid()
        self._terminal = has_terminal()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() == self._process and self._terminal == has_terminal():
            self.asked = True
        else:  # a fork of the process that keeps it; or the terminal has hung up, and means what it always does
            die_of_hangup()


@contextmanager
def keep_hangup() -> Iterator[None]:
    """Keep a SIGHUP that comes meanwhile for the plugin `live`, which reads the settings again as soon as it runs.

    Whoever has not been taken over at the end dies of it then, as without this. A kernel's start is always inside; a
    host that does something long before has it round all of it. Nothing is kept outside of the main thread, nor from
    a handler of the application's own, nor when the signal is ignored.
    """
    main = hasattr(signal, "SIGHUP") and threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGHUP, kept := KeptHangup())
    done = False
    try:
        yield
        done = True
    finally:
        now: object = signal.getsignal(signal.SIGHUP)
        if now is kept:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
            if done and kept.asked:  # what has failed tells why, and ends by itself
                die_of_hangup()


def die_of_hangup() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGHUP)


def has_terminal() -> bool:
    """There is a controlling terminal: when it hangs up, nobody of its session has one any more (tty(4), ENXIO)."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC | os.O_NONBLOCK))
    except OSError:
        return False
    return True
