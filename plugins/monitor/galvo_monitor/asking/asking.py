"""The commands' end."""

from __future__ import annotations

import msgspec

import galvo_local
from galvo_monitor.asking.protocol import NAME, Question
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.view import View


class NoAnswer(MonitorProblem):
    """The process does not tell of itself."""


class Ended(NoAnswer):
    """There is no such process."""


def ask(pid: int, *, live: bool = False) -> View:
    """What process `pid` shows. Raises NoAnswer and Ended."""
    try:
        told = galvo_local.ask(NAME, pid, msgspec.json.encode(Question(live)))
    except galvo_local.Ended as error:
        raise Ended(str(error)) from None
    except galvo_local.NoAnswer as error:
        raise NoAnswer(str(error)) from None
    try:
        view = msgspec.json.decode(told, type=View)
    except msgspec.MsgspecError:
        raise NoAnswer(f"process {pid} answers what is not understood here: is it of another version?") from None
    # The kernel's word: its own may be another's number, and is one of a container's.
    return msgspec.structs.replace(view, pid=pid)


def owners() -> dict[int, str]:
    """Whose each process is that can be asked in this network namespace: "" one's own, which come first."""
    found = {pid: galvo_local.called(user) for pid, user in galvo_local.owners(NAME).items()}
    return dict(sorted(found.items(), key=lambda one: (one[1] != "", one[0])))


def processes() -> dict[int, str]:
    """As `owners`: those in this folder, where there are any. Raises NoAnswer when there are none at all."""
    if found := owners():
        return {pid: found[pid] for pid in galvo_local.near(found)}
    raise NoAnswer(
        "no process with a monitor plugin can be asked here: start one, or ask as its user and in its container"
    )
