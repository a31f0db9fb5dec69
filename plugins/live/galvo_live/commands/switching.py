"""`galvo enable NAME`, `galvo disable NAME`, `galvo reload`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from galvo_live.commands.asking import asked, each, parser, short

SECONDS = 60.0
"""A plugin may take to start, and running queries to end."""
LATE = "it is still at it, or its event loop is busy; `galvo changes` tells when it is done"
TEXTS = {
    "enable": "Start a plugin in a running application.",
    "disable": "Stop a plugin in a running application; queries that run end first.",
    "reload": "Have a running application read its settings again.",
}
DONE = {"enable": "runs now", "disable": "has stopped"}
LONGEST = 200
"""Bytes of a name and of a reason."""


def enable(argv: Sequence[str]) -> int:
    return main("enable", argv)


def disable(argv: Sequence[str]) -> int:
    return main("disable", argv)


def reload(argv: Sequence[str]) -> int:
    return main("reload", argv)


def main(what: str, argv: Sequence[str]) -> int:
    """0 done, 1 refused or nobody there, 2 wrong usage."""
    options = parser(what, TEXTS[what])
    if what != "reload":
        options.add_argument("name", metavar="PLUGIN")
    options.add_argument("--why", metavar="TEXT", default="", help="a reason, for its log and `galvo changes`")
    try:
        given = options.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    name = getattr(given, "name", "")
    told = asked({"do": what, "name": short(name, LONGEST), "why": short(given.why, LONGEST)}, given.pid, SECONDS, LATE)
    answers = each(told)
    if given.json:
        sys.stdout.write(json.dumps(told) + "\n")
    else:
        for who, answer in answers:
            _show(what, name, who, answer)
    refused = any(answer.get("problem") for _, answer in answers)
    return int(refused or all("ended" in answer for _, answer in answers))


def _show(what: str, name: str, who: str, answer: dict[str, Any]) -> None:
    if answer.get("problem"):
        sys.stderr.write(f"galvo: {who}{answer['problem']}\n")
    elif "ended" in answer:
        sys.stdout.write(f"{who}{answer['ended']}\n")
    elif what == "reload":
        sys.stdout.write(f"{who}changed: {', '.join(answer['changed']) or 'nothing'}\n")
    else:
        sys.stdout.write(f"{who}{name} {DONE[what]}\n")
