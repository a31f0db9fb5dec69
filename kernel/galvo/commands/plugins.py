"""`galvo plugins`: what is listed, on, and why not."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from galvo import discovery
from galvo.blueprint import plan
from galvo.commands.running import asked, each, here, pid
from galvo.commands.showing import table
from galvo.errors import GalvoError
from galvo.kernel import Kernel

TEXT = "List the plugins: state, mode, version, hooks, and why. Without --pid as the settings here say."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pid", type=pid, help="of a running application: what is loaded there, and its state")


def run(options: argparse.Namespace) -> int:
    kernels, silent = _running(options.pid) if options.pid else ([({}, _listed())], [])
    infos = [info | kernel for kernel, listed in kernels for info in listed]
    if options.json:
        print(json.dumps(infos))
    for kernel, listed in () if options.json else kernels:
        if kernel:
            print(f"{kernel['kernel']}:")
        table(["plugin", "state", "mode", "version", "hooks", "why"], [_row(info, options.pid) for info in listed])
    for line in silent:
        print(f"galvo: {line}", file=sys.stderr)
    if not (options.pid or options.json) and len(found := here()) == 1:
        print(f"process {found[0]} runs in this folder: `galvo plugins --pid {found[0]}` shows its states")
    return int(bool(silent) or any(info["state"] == "failed" for info in infos))


def _row(info: dict[str, Any], pid: int | None) -> list[str]:
    state = (info["state"], info["mode"]) if info["on"] else ("off", "")
    why = info["reason"] or ("" if pid else off_why(info))
    return [info["name"], *state, info["version"], "\n".join(info["hooks"]), why]


def _running(process: int) -> tuple[list[tuple[dict[str, str], list[dict[str, Any]]]], list[str]]:
    """The plugins of each kernel, with its name as "kernel" when there are several; why others do not tell theirs."""
    told = asked("plugins", process)
    if "problem" in told:
        raise GalvoError(told["problem"])
    answers, silent = each(told)
    return [({"kernel": one["kernel"]} if "kernel" in one else {}, one["plugins"]) for one in answers], silent


def _listed() -> list[dict[str, Any]]:
    """By the settings of the working directory, and what is installed besides."""
    infos = Kernel(plan(Path(), warn=False)).plugins()
    listed = {info["name"] for info in infos}
    return infos + [
        {"name": point.name, "state": "unlisted", "mode": "", "version": point.version, "hooks": [], "on": False,
         "reason": f"installed, not in {discovery.FILE}: run `galvo lock`"}
        for point in discovery.installed() if point.name not in listed
    ]  # fmt: skip


def off_why(info: dict[str, Any]) -> str:
    """Where a plugin that does not run was switched off."""
    if not info["on"]:
        variable = f"GALVO_{info['name'].upper()}__ON"
        return variable if variable in map(str.upper, os.environ) else "on = false in settings/"
    return 'mode = "off"' if info["mode"] == "off" else ""
