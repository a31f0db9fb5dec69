"""The stack of the event loop's thread, as another thread finds it."""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType, FrameType
from typing import NamedTuple

from galvo import Plugin

MACHINERY = ("asyncio", "selectors", "uvloop")
"""Whoever is found in one of them between two callbacks is not blocked."""
DEBUGGERS = ("bdb", "pdb", "_pydevd_bundle", "pydevd", "debugpy")


class Call(NamedTuple):
    module: str
    code: CodeType
    line: int
    plugin: Plugin | None = None
    """The instance whose method it is, or that of a function inside."""


def frames(frame: FrameType | None) -> Iterator[FrameType]:
    """Innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def top(name: str) -> str:
    """The package that all of it is in."""
    return name.partition(".")[0]


def callback(frame: FrameType) -> FrameType | None:
    """The outermost frame of what the loop has called, another one for each call; None: the loop itself runs."""
    if top(module(frame)) in MACHINERY:
        return None
    found, inside = None, False
    for one in reversed([*frames(frame)]):
        machinery = top(module(one)) in MACHINERY
        if inside and not machinery:
            return one
        inside = inside or machinery
        found = found or one
    return found


def turn(frame: FrameType) -> float | None:
    """When the loop has begun its turn, by its own clock: asyncio's has that in a variable; None for another loop."""
    for one in frames(frame):
        if one.f_code.co_name == "_run_once" and module(one) == "asyncio.base_events":
            began = one.f_locals.get("end_time")
            return began if isinstance(began, float) else None
    return None


def calls(frame: FrameType) -> list[Call]:
    """Innermost first; without references to any frame."""
    return [Call(module(one), one.f_code, one.f_lineno, _plugin(one)) for one in frames(frame)]


def _plugin(frame: FrameType) -> Plugin | None:
    code = frame.f_code
    if "self" not in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
        return None  # looking at a frame's variables makes a copy of them
    found = frame.f_locals.get("self")
    return found if issubclass(type(found), Plugin) else None  # `isinstance` would ask what may be a proxy


def importing(stack: list[Call]) -> bool:
    return any(call.code.co_filename.startswith("<frozen importlib") for call in stack)


def debugged(stack: list[Call]) -> bool:
    return any(top(call.module) in DEBUGGERS for call in stack)
