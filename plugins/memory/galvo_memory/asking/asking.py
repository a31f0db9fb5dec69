"""The command's end of the socket."""

from __future__ import annotations

import socket
import struct
import sys
from pathlib import Path
from time import monotonic
from typing import TypeVar

import msgspec

from galvo_memory.asking.protocol import LARGEST_ANSWER, PREFIX, Question, Traced
from galvo_memory.asking.state import State
from galvo_memory.errors import MemoryProblem, Unreadable
from galvo_memory.signals.files import read

PATIENCE = 2.0
"""Seconds in which an event loop that is not stuck answers."""
SLOWER = 30.0
"""Seconds that the answer may take after a trace, which slows everything down."""
SOCKETS = Path("/proc/net/unix")
T = TypeVar("T")


class NoAnswer(MemoryProblem):
    """The process does not tell of itself."""


def ask(pid: int) -> State:
    """What process `pid` tells. Raises NoAnswer."""
    return _ask(pid, Question(), PATIENCE, State)


def trace(pid: int, seconds: float, *, types: bool) -> list[str]:
    """Who allocates in the next `seconds` what is kept: sentences. Raises NoAnswer."""
    traced = _ask(pid, Question(trace=seconds, types=types), seconds + SLOWER, Traced)
    if traced.problem:
        raise NoAnswer(f"process {pid}: {traced.problem}")
    return traced.sentences


def processes() -> list[int]:
    """Those that can be asked, in this network namespace."""
    found = set()
    for name in _names():
        try:
            with _connected(name, PATIENCE) as connection:
                found.add(_peer(connection))
        except OSError:
            continue
    return sorted(found - {0})


def _ask(pid: int, question: Question, seconds: float, answer: type[T]) -> T:
    deadline, stuck = monotonic() + seconds, f"process {pid} has not answered for {seconds:g} s: its event loop is busy"
    for name in sorted(_names(), key=lambda name: not name.startswith(f"{PREFIX}{pid}-")):
        try:
            connection = _connected(name, PATIENCE)
        except BlockingIOError:  # so many wait already that it takes no more
            if name.startswith(f"{PREFIX}{pid}-"):
                raise NoAnswer(stuck) from None
            continue
        except OSError:  # it has just gone
            continue
        with connection:
            if _peer(connection) != pid:
                continue  # whoever likes may take a name; this is the kernel's word
            try:
                connection.sendall(msgspec.json.encode(question))
                return msgspec.json.decode(_received(connection, deadline), type=answer)
            except TimeoutError:
                raise NoAnswer(stuck) from None
            except (OSError, msgspec.MsgspecError):
                why = "it answers its own user and root, and a few at a time"
                raise NoAnswer(f"process {pid} gave no answer: {why}") from None
    raise NoAnswer(
        f"process {pid} does not tell of itself: it runs no memory plugin, has `answer = false` under [memory], or is "
        "in another network namespace"
    )


def _names() -> list[str]:
    if sys.platform != "linux":
        return []
    try:
        lines = read(SOCKETS).splitlines()
    except Unreadable:
        return []
    names = (line.rpartition(" ")[2] for line in lines)
    return sorted({name[1:] for name in names if name.startswith(f"@{PREFIX}")})


def _connected(name: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(f"\0{name}")
    except BaseException:
        connection.close()
        raise
    return connection


def _peer(connection: socket.socket) -> int:
    pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)


def _received(connection: socket.socket, deadline: float) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) < LARGEST_ANSWER:
        connection.settimeout(max(0.001, deadline - monotonic()))
        part = connection.recv(1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)
