"""The command's end of the socket."""

from __future__ import annotations

import os
import pwd
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

from galvo_local.sockets import LARGEST_ANSWER, peer, prefix

PATIENCE = 2.0
"""Seconds in which an event loop that is not stuck answers."""
PROC = Path("/proc")
SOCKETS = PROC / "net/unix"


class NoAnswer(Exception):
    """The process does not tell of itself; one sentence that says why."""


class Ended(NoAnswer):
    """There is no such process."""


class Late(NoAnswer):
    """It has the question, and no answer in time."""


def ask(name: str, pid: int, question: bytes, seconds: float | None = None) -> bytes:
    """What plugin `name` of process `pid` answers within `seconds` (PATIENCE). Raises NoAnswer, also when the process
    is of a user whom `believed` does not name; Ended when there is no process; Late when it may answer yet.
    """
    seconds = PATIENCE if seconds is None else seconds
    deadline, stuck = monotonic() + seconds, f"process {pid} has not answered for {seconds:g} s: its event loop is busy"
    full, why = False, ""
    for found in _of(name, pid):
        try:
            connection = _connected(found, PATIENCE)
        except BlockingIOError:  # so many wait already that it takes no more, whosever it is
            full = full or _holder(found, name) == pid
            continue
        except OSError:  # it has just gone
            continue
        with connection:
            process, user = peer(connection)
            if process != pid:
                continue  # whoever likes may take a name; this is the kernel's word
            if not believed(user):
                raise NoAnswer(f"process {pid} is another user's: ask as that user, or as root")
            try:
                connection.sendall(question)
                if answer := _received(connection, deadline):
                    return answer
            except TimeoutError:
                raise Late(stuck) from None
            except OSError:
                pass
            why = f"process {pid} gave no answer: it answers its own user and root, and a few at a time"
    if not _runs(pid):
        raise Ended(f"there is no process {pid}")
    if full:
        raise NoAnswer(stuck)
    raise NoAnswer(
        why
        or f"process {pid} does not tell of itself: it runs no {name} plugin, has `answer = false` under [{name}], "
        "or is in another network namespace"
    )


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def _of(name: str, pid: int) -> Iterator[str]:
    """The sockets that may be the process's, its own ones first; and those that come while these go: a plugin that is
    replaced has another one, and opens it before it closes the first.
    """
    own, tried = f"{prefix(name)}{pid}-", set[str]()
    for _ in range(2):
        for found in sorted({*names(name)} - tried, key=lambda one: (not one.startswith(own), one)):
            tried.add(found)
            yield found


def processes(name: str) -> list[int]:
    """Those whose plugin `name` can be asked, in this network namespace."""
    return sorted(owners(name))


def owners(name: str) -> dict[int, int]:
    """The user of each process whose plugin `name` can be asked, in this network namespace."""
    found: dict[int, int] = {}
    for one in names(name):
        try:
            pid, user = _owner(one, name)
        except OSError:
            continue
        if pid and believed(user):
            found[pid] = user
    return found


def believed(user: int) -> bool:
    """Whoever likes may take a name and tell lies there. Root hears all, and should say whose word it is."""
    return user in (0, os.geteuid()) or os.geteuid() == 0


def called(user: int) -> str:
    """The user's name; "" for one's own."""
    return "" if user == os.geteuid() else named(user)


def named(user: int) -> str:
    """The user's name, where it has one, else its number."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def names(name: str) -> list[str]:
    """The sockets that are called so, whoever made them."""
    if sys.platform != "linux":
        return []
    found = (line.rpartition(" ")[2] for line in _lines())
    return sorted({one[1:] for one in found if one.startswith(f"@{prefix(name)}")})


def _owner(found: str, name: str) -> tuple[int, int]:
    """Process and user; 0 for no process. Raises OSError when it has just gone."""
    try:
        with _connected(found, PATIENCE) as connection:
            return peer(connection)
    except BlockingIOError:  # so many wait already that it takes no more: it is stuck, and not to be left out for that
        pid = _holder(found, name)
        return pid, (PROC / str(pid)).stat().st_uid if pid else 0


def _holder(found: str, name: str) -> int:
    """The process that the socket is named after, if it has it open as far as one may see; else 0."""
    pid = found.removeprefix(prefix(name)).partition("-")[0]
    lines = (line.split(" ") for line in _lines() if line.endswith(f" @{found}"))
    inodes = {f"socket:[{line[-2]}]" for line in lines}
    try:
        return int(pid) if any(os.readlink(file) in inodes for file in (PROC / pid / "fd").iterdir()) else 0
    except (OSError, ValueError):
        return 0


def _lines() -> list[str]:
    try:
        return SOCKETS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []


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
