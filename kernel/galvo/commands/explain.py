"""`galvo explain`: a hook's layers, or what each plugin would do with a statement."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from galvo.blueprint import plan
from galvo.commands.running import asked, each, pid
from galvo.commands.showing import show
from galvo.errors import GalvoError
from galvo.explain import duration, lines
from galvo.hookspecs import KINDS
from galvo.kernel import Kernel
from galvo.printing import one_line, printable

TEXT = (
    "Show a hook's layers, outermost first, and, where an application runs, how often they are called and how long "
    "they take; or what each plugin would do with a statement, which is not run."
)
WIDTH = 80
FEW = ["plugin", "mode", "on_error", "why"]
ALL = ["plugin", "mode", "calls", "own p50", "own p99", "all p50", "all p99", "faults"]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="HOOK|STATEMENT", help=f"{', '.join(KINDS)}; or for example 'select 1'")
    parser.add_argument(
        "--pid", type=pid, help="of the application; default: as for `galvo changes`, and for a statement none"
    )
    text = "to watch a hook for, at most 60 (%(default)g)"
    parser.add_argument("--seconds", type=_seconds, default=2.0, help=text)


def run(options: argparse.Namespace) -> int:
    hook = options.what in KINDS
    if not hook and len(options.what.split()) < 2:
        raise GalvoError(f"{options.what!r} is neither a hook ({', '.join(KINDS)}) nor a statement")
    told = asked("explain", options.what, options.pid, options.seconds if hook else 0) if hook or options.pid else {}
    if options.pid and "problem" in told:
        raise GalvoError(told["problem"])
    if "kernels" in told:
        return _show_kernels(options, told)
    if hook:
        _show_hook(options, told if "layers" in told else _listed(options.what, told))
        return 0
    told = told or _started(options.what)
    for about in ("pid", "folder"):
        told.pop(about, None)
    problems = _problems(told)
    if problems and not options.json:
        raise GalvoError(problems[0])
    print(json.dumps(told) if options.json else "\n".join(map(printable, lines(told))))
    return int(bool(problems))


def _problems(told: dict[str, Any]) -> list[str]:
    return [answer["problem"] for answer in told.values() if isinstance(answer, dict) and "problem" in answer]


def _show_kernels(options: argparse.Namespace, told: dict[str, Any]) -> int:
    """Each kernel of the process apart."""
    kernels, silent = each(told)
    if options.json:
        print(json.dumps(told))
    elif options.what in KINDS:
        for number, one in enumerate(kernels):
            print("\n" * bool(number), end="")
            _show_hook(options, {**told, **one})
    else:
        apart = {one["kernel"]: {name: said for name, said in one.items() if name != "kernel"} for one in kernels}
        print("\n".join(map(printable, lines(apart))))
    for line in silent:
        print(f"galvo: {line}", file=sys.stderr)
    return int(bool(silent or any(map(_problems, kernels))))


def _listed(hook: str, told: dict[str, Any]) -> dict[str, Any]:
    """By the settings of the working directory."""
    import anyio

    listed: dict[str, Any] = anyio.run(Kernel(plan(Path(), warn=False), Path()).explain, hook)
    return listed | {"problem": told["problem"]}


def _started(sql: str) -> dict[str, Any]:
    import anyio

    async def explain() -> dict[str, Any]:
        async with Kernel(plan(Path(), warn=False)) as kernel:
            return await kernel.explain(sql)

    return anyio.run(explain)


def _show_hook(options: argparse.Namespace, told: dict[str, Any]) -> None:
    seen = "seconds" in told
    if not options.json:
        place = f" in {told['folder']}" if "folder" in told else ""
        kernel = f", {told['kernel']}" if "kernel" in told else ""
        where = f"; process {told['pid']}{place}{kernel}, watched for {told['seconds']:g} s" if seen else ""
        order = "outermost first" if told["kind"] == "around" else "in this order"
        print(f"{told['hook']}: {told['kind']}, {order}{where}")
    head, row = (ALL, _figures) if seen else (FEW, _few)
    show(options, told, head, [row(layer) for layer in told["layers"]])
    if not options.json:
        print("\n".join(_notes(told)))


def _few(layer: dict[str, Any]) -> list[str]:
    return [layer["plugin"], layer["mode"], layer["on_error"], layer["why"]]


def _figures(layer: dict[str, Any]) -> list[str]:
    mode = layer["mode"] if layer["state"] == "active" else layer["state"]
    latencies = [duration(layer[name]) for name in ("own_median", "own_p99", "median", "p99")]
    return [layer["plugin"], mode, f"{layer['calls']:,}", *latencies, f"{layer['faults']:,}"]


def _notes(told: dict[str, Any]) -> Iterator[str]:
    """Below the table: why in this order, what went wrong, what still runs, and why there are no figures."""
    for layer in told["layers"]:
        yield from _wrapped(f"{layer['plugin']}: {layer['reason']}")
    if "seconds" in told:
        yield from _wrapped('"own" is without the inner layers, "all" with them; faults since the start')
    for layer in told["layers"]:
        if layer.get("running"):
            calls = "1 call has" if layer["running"] == 1 else f"{layer['running']:,} calls have"
            yield from _wrapped(f"{layer['plugin']}: {calls} not ended yet")
        if layer["faults"]:
            yield from _wrapped(f"{layer['plugin']}'s last fault: {layer['last_fault']}")
    if "problem" in told:
        yield from _wrapped(f"no figures: {told['problem']}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(one_line(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds up to 60")
    return seconds
