"""What commands ask of a running application: whoever can ask one has entry points in the group `galvo.running`."""

from __future__ import annotations

import argparse
from importlib import metadata
from typing import Any

RUNNING = "galvo.running"
"""`explain(what, pid, seconds)` and `plugins(pid)` give a dict, with "problem" if they cannot; `here()` process ids.
Of a process with several kernels the dict has "kernels": such a dict of each, with its name as "kernel".
"""


def asked(name: str, *args: Any) -> dict[str, Any]:
    """What a running application tells, or a "problem"."""
    for point in metadata.entry_points(group=RUNNING, name=name):
        told: dict[str, Any] = point.load()(*args)
        return told
    return {"problem": "only galvo-live asks a running application, and it is not installed"}


def each(told: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The answer of each kernel, and a sentence on each that has none."""
    answers, silent = [], []
    for one in told.get("kernels", [told]):
        if why := one.get("problem") or one.get("ended"):
            silent.append(f"{one['kernel']}: {why}")
        else:
            answers.append(one)
    return answers, silent


def here() -> list[int]:
    """The applications that run in this folder and can be asked."""
    return [pid for point in metadata.entry_points(group=RUNNING, name="here") for pid in point.load()()]


def pid(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)
