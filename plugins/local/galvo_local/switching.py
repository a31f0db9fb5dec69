"""The commands' end of it: `galvo enable NAME`, `galvo disable NAME`, `galvo reload`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from galvo_local.asking import NoAnswer, ask, processes
from galvo_local.toggling import NAME

SECONDS = 60.0
"""A plugin may take to start, and running queries to end."""
TEXTS = {
    "enable": "Start a plugin in a running application.",
    "disable": "Stop a plugin in a running application; queries that run end first.",
    "reload": "Have a running application read its settings again.",
}
DONE = {"enable": "runs now", "disable": "has stopped"}


def enable(argv: Sequence[str]) -> int:
    return main("enable", argv)


def disable(argv: Sequence[str]) -> int:
    return main("disable", argv)


def reload(argv: Sequence[str]) -> int:
    return main("reload", argv)


def main(what: str, argv: Sequence[str]) -> int:
    """0 done, 1 refused or nobody there, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog=f"galvo {what}", description=TEXTS[what])
    if what != "reload":
        parser.add_argument("name", metavar="PLUGIN")
    parser.add_argument("--pid", type=_pid, help="of the application; needed when several run")
    parser.add_argument("--json", action="store_true", help="print JSON")
    try:
        options = parser.parse_args(argv)
    except SystemExit as end:
        return int(end.code or 0)
    name = getattr(options, "name", "")
    told = _asked(what, name, options.pid)
    if options.json:
        sys.stdout.write(json.dumps(told) + "\n")
    elif "problem" in told:
        sys.stderr.write(f"galvo: {told['problem']}\n")
    elif what == "reload":
        sys.stdout.write(f"process {told['pid']}: changed: {', '.join(told['changed']) or 'nothing'}\n")
    else:
        sys.stdout.write(f"process {told['pid']}: {name} {DONE[what]}\n")
    return int("problem" in told)


def _asked(what: str, name: str, pid: int | None) -> dict[str, Any]:
    if pid is None:
        found = processes(NAME)
        if not found:
            return {"problem": "no running application lets its plugins be switched; `galvo run engraving` is one"}
        if len(found) > 1:
            return {"problem": f"several applications run: say --pid, one of {', '.join(map(str, found))}"}
        pid = found[0]
    try:
        answer: dict[str, Any] = json.loads(ask(NAME, pid, json.dumps({"do": what, "name": name}).encode(), SECONDS))
    except NoAnswer as error:
        return {"pid": pid, "problem": str(error)}
    except ValueError:
        return {"pid": pid, "problem": f"process {pid} answers something else: is it of another version?"}
    return {"pid": pid, **answer}


def _pid(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 1 << 31):
        raise argparse.ArgumentTypeError(f"{text!r} is no process id")
    return int(text)
