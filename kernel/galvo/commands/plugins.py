"""`galvo plugins`: what is listed, on, and why not."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from galvo import discovery
from galvo.blueprint import plan
from galvo.commands.showing import show
from galvo.kernel import Kernel

TEXT = "List the plugins: state, mode, version, hooks, and why."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    infos = Kernel(plan(Path(), warn=False)).plugins()
    listed = {info["name"] for info in infos}
    infos += [
        {"name": point.name, "state": "unlisted", "mode": "", "version": point.version, "hooks": [], "on": False,
         "reason": f"installed, not in {discovery.FILE}: run `galvo lock`"}
        for point in discovery.installed() if point.name not in listed
    ]  # fmt: skip
    rows = [
        [
            info["name"], *((info["state"], info["mode"]) if info["on"] else ("off", "")), info["version"],
            "\n".join(info["hooks"]), info["reason"] or off_why(info),
        ]
        for info in infos
    ]  # fmt: skip
    show(options, infos, ["plugin", "state", "mode", "version", "hooks", "why"], rows)
    return int(any(info["state"] == "failed" for info in infos))


def off_why(info: dict[str, Any]) -> str:
    """Where a plugin that does not run was switched off."""
    if not info["on"]:
        variable = f"GALVO_{info['name'].upper()}__ON"
        return variable if variable in map(str.upper, os.environ) else "on = false in settings/"
    return 'mode = "off"' if info["mode"] == "off" else ""
