"""What the children run: functions of a module, as it has to be."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from pathlib import Path
from typing import NoReturn

MIB = 1 << 20


def pid() -> int:
    return os.getpid()


def limits() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_DATA)


def allocate(mebibytes: int) -> int:
    return len(bytearray(b"x") * (mebibytes * MIB))


def pile_up() -> None:
    pile = []
    while True:
        pile.append(" " * MIB)


def keep(mebibytes: int, kept: list[bytearray] = []) -> int:  # noqa: B006  # it leaks on purpose
    kept.append(bytearray(b"x") * (mebibytes * MIB))
    return os.getpid()


def sleep_for_ever(sign: str) -> None:
    Path(sign).write_text(str(os.getpid()))
    while True:
        time.sleep(60)


def fork_and_sleep(sign: str) -> None:
    """The forked process has all that this one has open."""
    if (child := os.fork()) != 0:
        Path(sign).write_text(f"{os.getpid()} {child}")
    while True:
        time.sleep(60)


def kill_myself(with_signal: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), with_signal)


def leave(code: int) -> NoReturn:
    sys.exit(code)


def fail(text: str) -> NoReturn:
    raise KeyError(text)


class Strange(Exception):
    """Cannot be read from its pickle."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def fail_strangely() -> NoReturn:
    raise Strange(1, 2)


def give_a_lock() -> object:
    return threading.Lock()


async def coroutine() -> None: ...


def many_threads(count: int) -> int:
    ends = threading.Event()
    threads = [threading.Thread(target=ends.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    ends.set()
    for thread in threads:
        thread.join()
    return count
