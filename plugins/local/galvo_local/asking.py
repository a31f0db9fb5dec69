"""The command's end of the socket."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from time import monotonic

from galvo_local.sockets import LARGEST_ANSWER, peer, prefix

PATIENCE = 2.0
"""Seconds in which an event loop that is not stuck answers."""
SOCKETS = Path("/proc/net/unix")


class NoAnswer(Exception):
    """The process does not tell of itself; one sentence that says why."""


def ask(name: str, pid: int, question: bytes, seconds: float | None = None) -> bytes:
    """What plugin `name` of process `pid` answers within `seconds` (PATIENCE). Raises NoAnswer."""
    seconds = PATIENCE if seconds is None else seconds
    deadline, stuck = monotonic() + seconds, f"process {pid} has not answered for {seconds:g} s: its event loop is busy"
    own = f"{prefix(name)}{pid}-"
    for found in sorted(names(name), key=lambda one: not one.startswith(own)):
        try:
            connection = _connected(found, PATIENCE)
        except BlockingIOError:  # so many wait already that it takes no more
            if found.startswith(own):
                raise NoAnswer(stuck) from None
            continue
        except OSError:  # it has just gone
            continue
        with connection:
            if peer(connection)[0] != pid:
                continue  # whoever likes may take a name; this is the kernel's word
            try:
                connection.sendall(question)
                if answer := _received(connection, deadline):
                    return answer
            except TimeoutError:
                raise NoAnswer(stuck) from None
            except OSError:
                pass
            why = "it answers its own user and root, and a few at a time"
            raise NoAnswer(f"process {pid} gave no answer: {why}")
    raise NoAnswer(
        f"process {pid} does not tell of itself: it runs no {name} plugin, has `answer = false` under [{name}], or is "
        "in another network namespace"
    )


def processes(name: str) -> list[int]:
    """Those whose plugin `name` can be asked, in this network namespace."""
    found = set()
    for one in names(name):
        try:
            with _connected(one, PATIENCE) as connection:
                found.add(peer(connection)[0])
        except OSError:
            continue
    return sorted(found - {0})


def names(name: str) -> list[str]:
    """The sockets that are called so, whoever made them."""
    if sys.platform != "linux":
        return []
    try:
        lines = SOCKETS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    found = (line.rpartition(" ")[2] for line in lines)
    return sorted({one[1:] for one in found if one.startswith(f"@{prefix(name)}")})


def _connected(name: str, seconds: float) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(f"\0{name}".encode("utf-8", "surrogateescape"))
    except BaseException:
        connection.close()
        raise
    return connection


def _received(connection: socket.socket, deadline: float) -> bytes:
    parts: list[bytes] = []
    while sum(map(len, parts)) < LARGEST_ANSWER:
        connection.settimeout(max(0.001, deadline - monotonic()))
        part = connection.recv(1 << 16)
        if not part:
            break
        parts.append(part)
    return b"".join(parts)
