"""Which of several processes is meant when none is named: one that runs in the caller's folder."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping

from galvo_local.asking import PROC, NoAnswer
from galvo_local.printing import printable

LONGEST = 40
"""Characters of a command that are shown."""


def near(found: Iterable[int]) -> list[int]:
    """Those whose working directory is this process's; all, when there are none."""
    pids = list(found)
    return [pid for pid in pids if here(pid)] or pids


def only(found: Mapping[int, str]) -> int:
    """The one of `near`; `found` says of each whose it is ("" one's own).

    Raises NoAnswer when there is none, and when there are several, which it lists.
    """
    pids = near(found)
    if not pids:
        raise NoAnswer("no process can be asked here")
    if len(pids) > 1:
        told = "; ".join(described(pid, found[pid]) for pid in pids)
        raise NoAnswer(f"several processes can be asked: say --pid, one of {told}")
    return pids[0]


def here(pid: int) -> bool:
    """Its working directory is this process's, as far as one may see."""
    try:
        return os.path.samefile(PROC / str(pid) / "cwd", os.curdir)
    except OSError:
        return False


def elsewhere(pid: int) -> str:
    """Its working directory when that is another than this process's and may be seen, else ""."""
    return "" if here(pid) else folder(pid)


def folder(pid: int) -> str:
    """Its working directory; "" when that may not be seen."""
    try:
        return printable(os.readlink(PROC / str(pid) / "cwd"))
    except OSError:
        return ""


def described(pid: int, user: str = "") -> str:
    """`4711 (user nobody): python app.py in /srv/shop`, as far as one may see."""
    try:
        words = (PROC / str(pid) / "cmdline").read_text("utf-8", "replace").rstrip("\0").split("\0")
    except OSError:
        words = [""]
    command = printable(" ".join([os.path.basename(words[0]), *words[1:]]))
    if len(command) > LONGEST:
        command = f"{command[:LONGEST].rstrip()}..."
    place = folder(pid)
    told = " ".join(part for part in (command, place and f"in {place}") if part)
    return f"{pid}{f' (user {user})' if user else ''}{f': {told}' if told else ''}"


def pid_of(text: str) -> int:
    """For `--pid`. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)
