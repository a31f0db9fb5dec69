"""`galvo check`: entrypoints.toml and settings against what is installed."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from galvo import discovery
from galvo.blueprint import plan

TEXT = "Compare entrypoints.toml and settings with what is installed."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    path = Path(discovery.FILE)
    found = discovery.drift(path)
    if found:
        found.append("review, then `galvo lock`")
    found += [
        f"{blueprint.name}: {blueprint.failure}"
        for blueprint in plan(Path(), everything=True, warn=False).blueprints
        if blueprint.failure
    ]
    if options.json:
        print(json.dumps({"ok": not found, "found": found}))
    else:
        print("\n".join(found) or f"ok: {len(discovery.read(path))} plugins, settings and {path} agree")
    return int(bool(found))
