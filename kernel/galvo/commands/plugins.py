"""`galvo plugins`: what is listed, on, and why not."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from galvo import discovery
from galvo.blueprint import plan
from galvo.commands.running import asked, here, pid
from galvo.commands.showing import show
from galvo.errors import GalvoError
from galvo.kernel import Kernel

TEXT = "List the plugins: state, mode, version, hooks, and why. Without --pid as the settings here say."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--pid", type=pid, help="of a running application: what is loaded there, and its state")


def run(options: argparse.Namespace) -> int:
    infos = _running(options.pid) if options.pid else _listed()
    rows = [
        [
            info["name"], *((info["state"], info["mode"]) if info["on"] else ("off", "")), info["version"],
            "\n".join(info["hooks"]), info["reason"] or ("" if options.pid else off_why(info)),
        ]
        for info in infos
    ]  # fmt: skip
    show(options, infos, ["plugin", "state", "mode", "version", "hooks", "why"], rows)
    if not (options.pid or options.json) and len(found := here()) == 1:
        print(f"process {found[0]} runs in this folder: `galvo plugins --pid {found[0]}` shows its states")
    return int(any(info["state"] == "failed" for info in infos))


def _running(process: int) -> list[dict[str, Any]]:
    told = asked("plugins", process)
    if "problem" in told:
        raise GalvoError(told["problem"])
    infos: list[dict[str, Any]] = told["plugins"]
    return infos


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
