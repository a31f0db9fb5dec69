"""What `galvo memory` asks a process."""

from __future__ import annotations

import os
from typing import TypeVar

import msgspec

import galvo_local
from galvo_memory.asking.protocol import NAME, Question, Traced
from galvo_memory.asking.state import State
from galvo_memory.errors import MemoryProblem

SLOWER = 30.0
"""Seconds that the answer may take after a trace, which slows everything down."""
T = TypeVar("T")


class NoAnswer(MemoryProblem):
    """The process does not tell of itself."""


def ask(pid: int) -> State:
    """What process `pid` tells. Raises NoAnswer."""
    # The kernel's word: its own may be another's number, and is one of a container's.
    return msgspec.structs.replace(_ask(pid, Question(), None, State), pid=pid)


def trace(pid: int, seconds: float, *, types: bool) -> list[str]:
    """Who allocates in the next `seconds` what is kept: sentences. Raises NoAnswer."""
    traced = _ask(pid, Question(trace=seconds, types=types), seconds + SLOWER, Traced)
    if traced.problem:
        raise NoAnswer(f"process {pid}: {traced.problem}")
    return traced.sentences


def processes() -> list[int]:
    """Those that can be asked, in this network namespace; those in this folder, where there are any."""
    return galvo_local.near(galvo_local.processes(NAME))


def only() -> int:
    """The one of them. Raises NoAnswer when there are several."""
    try:
        return galvo_local.only({pid: galvo_local.called(user) for pid, user in galvo_local.owners(NAME).items()})
    except galvo_local.NoAnswer as error:
        raise NoAnswer(str(error)) from None


def said_by(pid: int) -> list[str]:
    """Another user may say what he likes: a sentence of whose word it is, when it is that of another than root."""
    user = galvo_local.owners(NAME).get(pid, 0)
    return [f"this is what a process of user {galvo_local.called(user)} says"] if user not in (0, os.geteuid()) else []


def _ask(pid: int, question: Question, seconds: float | None, answer: type[T]) -> T:
    try:
        return msgspec.json.decode(galvo_local.ask(NAME, pid, msgspec.json.encode(question), seconds), type=answer)
    except galvo_local.NoAnswer as error:
        raise NoAnswer(str(error)) from None
    except msgspec.MsgspecError:
        raise NoAnswer(f"process {pid} answers what is not understood here: is it of another version?") from None
