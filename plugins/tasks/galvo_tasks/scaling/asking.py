"""Asks the workers of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator

import msgspec

import galvo_local
from galvo_tasks.errors import TasksProblem
from galvo_tasks.scaling.protocol import NAME, QUESTION, WorkerState


class NoAnswer(TasksProblem):
    """The process does not tell of itself."""


def ask(pid: int) -> WorkerState:
    """What worker `pid` tells. Raises NoAnswer."""
    try:
        state = msgspec.json.decode(galvo_local.ask(NAME, pid, QUESTION), type=WorkerState)
    except galvo_local.NoAnswer as error:
        raise NoAnswer(str(error)) from None
    except msgspec.MsgspecError:
        raise NoAnswer(f"process {pid} answers what is not understood here: is it of another version?") from None
    return msgspec.structs.replace(state, pid=pid)  # the kernel's word, its own may be one of a container's


def workers(app: str, broker: str) -> Iterator[WorkerState | str]:
    """Those of this application and broker that this user may ask, or a sentence why one gave no answer."""
    for pid, user in sorted(galvo_local.owners(NAME).items()):
        if user not in (0, os.geteuid()):
            yield f"process {pid} is not asked: it is user {galvo_local.called(user)}'s"
            continue
        try:
            state = ask(pid)
        except NoAnswer as error:
            yield str(error)
            continue
        if (state.app, state.broker) == (app, broker):
            yield state
