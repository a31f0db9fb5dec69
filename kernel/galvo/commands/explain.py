"""`galvo explain`: a hook's layers, or what each plugin would do with a statement."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from galvo.blueprint import plan
from galvo.commands.showing import show
from galvo.errors import GalvoError
from galvo.explain import lines
from galvo.hookspecs import KINDS
from galvo.kernel import Kernel

TEXT = "Show a hook's layers, outermost first; or what each plugin would do with a statement, which is not run."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="HOOK|STATEMENT", help=f"{', '.join(KINDS)}; or for example 'select 1'")


def run(options: argparse.Namespace) -> int:
    import anyio

    if options.what not in KINDS:
        if len(options.what.split()) < 2:
            raise GalvoError(f"{options.what!r} is neither a hook ({', '.join(KINDS)}) nor a statement")
        told = anyio.run(statement, options.what)
        print(json.dumps(told) if options.json else "\n".join(lines(told)))
        return 0
    told = anyio.run(Kernel(plan(Path(), warn=False)).explain, options.what)
    rows = [[item["plugin"], item["mode"], item["on_error"], item["why"]] for item in told["layers"]]
    if not options.json:
        print(f"{told['hook']}: {told['kind']}, outermost first")
    show(options, told, ["plugin", "mode", "on_error", "why"], rows)
    return 0


async def statement(sql: str) -> dict[str, Any]:
    async with Kernel(plan(Path(), warn=False)) as kernel:
        return await kernel.explain(sql)
