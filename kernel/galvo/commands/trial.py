"""`galvo try`: one start of everything, and one stop."""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path
from typing import Any

from galvo.blueprint import plan
from galvo.kernel import Kernel

TEXT = "Start every plugin that is on, and stop it again."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    import anyio

    logging.disable()  # what would be logged is told below
    infos = anyio.run(start_once)
    failed = [f"plugin {info['name']!r}: {info['reason']}" for info in infos if info["state"] == "failed"]
    started = ", ".join(info["name"] for info in infos if info["state"] == "active")
    if options.json:
        print(json.dumps({"ok": not failed, "plugins": infos}))
    else:
        print("\n".join(failed) or f"ok: {started} started and stopped")
    return int(bool(failed))


async def start_once() -> list[dict[str, Any]]:
    async with Kernel(plan(Path(), warn=False)) as kernel:
        return kernel.plugins()
