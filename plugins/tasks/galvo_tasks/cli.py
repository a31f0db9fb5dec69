"""`galvo tasks`: each of its commands is a module of `galvo_tasks.commands`."""

from __future__ import annotations

from collections.abc import Sequence

from galvo.operating import dispatch
from galvo_tasks import commands


def main(argv: Sequence[str]) -> int:
    """0 done, 1 failed, 2 wrong usage, or what a command gives."""
    return dispatch("tasks", commands, argv)
