"""`galvo changes`: what was changed in a running application, by whom, why, and what came of it."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from galvo_live.commands.asking import asked, parser, who
from galvo_local import printable

TEXT = "List the last 100 changes that a running application was asked for: when, what, by whom, why, and the result."
SECONDS = 5.0
WHO = 20
"""Columns that are kept for who has asked."""
DAY = 86_400


def main(argv: Sequence[str]) -> int:
    """0 shown, 1 nobody there, 2 wrong usage."""
    options = parser("changes", TEXT)
    try:
        given = options.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    told = asked({"do": "changes"}, given.pid, SECONDS)
    if "kernels" in told:
        told = _together(told)
    if given.json:
        sys.stdout.write(json.dumps(told) + "\n")
    elif "problem" in told:
        sys.stderr.write(f"galvo: {told['problem']}\n")
    elif told["changes"] or told.get("pending"):
        _show([*told["changes"], *(change | {"pending": True} for change in told.get("pending", ()))])
    else:
        sys.stdout.write(f"{who(told)}: nothing was changed since its start\n")
    for one in told.get("silent", ()):
        sys.stderr.write(f"galvo: {one['kernel']}: {one['problem']}\n")
    return int("problem" in told)


def _together(told: dict[str, Any]) -> dict[str, Any]:
    """In the order of time, each with its "kernel"; "silent" are those that do not tell theirs."""
    kernels = told.pop("kernels")
    for key in ("changes", "pending"):
        all_ = [change | {"kernel": one["kernel"]} for one in kernels for change in one.get(key, ())]
        told[key] = sorted(all_, key=itemgetter("at"))
    return told | {"silent": [one for one in kernels if "problem" in one]}


def _show(changes: list[dict[str, Any]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    who = max(len(change["who"]) for change in changes)
    for head, width in (("when", 8), ("what", None), ("who", min(who, WHO)), ("why", None), ("result", None)):
        table.add_column(head, min_width=width, no_wrap=head in ("when", "what"))
    for change in changes:
        what = f"{change['what']} {change['name']}".strip()
        where = f"{change['kernel']}: " if "kernel" in change else ""
        cells = (when(change["at"]), what, change["who"], change["why"], where + result(change))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console().print(table)


def when(at: float, now: float | None = None) -> str:
    """The time of the day, or the day when that was longer ago than one."""
    past = (time.time() if now is None else now) - at
    return time.strftime("%H:%M:%S" if past < DAY else "%b %d", time.localtime(at))


def result(change: dict[str, Any]) -> str:
    if change.get("pending"):
        return f"under way for {change['seconds']:.0f} s"
    if change["problem"]:
        return f"refused: {change['problem']}"
    return f"done: {', '.join(change['changed']) or 'nothing to change'}"
