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
    listed = discovery.read(path) if path.is_file() else []
    found = drift(path, listed)
    found += [
        f"{blueprint.name}: {blueprint.failure}"
        for blueprint in plan(Path(), everything=True, warn=False).blueprints
        if blueprint.failure
    ]
    if options.json:
        print(json.dumps({"ok": not found, "found": found}))
    else:
        print("\n".join(found) or f"ok: {len(listed)} plugins, settings and {path} agree")
    return int(bool(found))


def drift(path: Path, listed: list[discovery.Listing]) -> list[str]:
    """In what the file and the installed plugins differ. Raises PluginError for one that cannot be imported."""
    found: list[str] = []
    if not path.is_file():
        found.append(f"there is no {path}: `galvo lock` writes it")
    now = {listing.name: listing for listing in discovery.lock(listed)}
    for listing in listed:
        fresh = now.pop(listing.name, None)
        if fresh is None:
            found.append(f"{listing.name} is listed and not installed: install {listing.distribution}")
            continue
        for field in listing.__struct_fields__:
            old, new = getattr(listing, field), getattr(fresh, field)
            if old != new:
                found.append(f"{listing.name}: {field} was {old!r}, is now {new!r}")
    found += [f"{name} is installed and not listed" for name in now]
    if found:
        found.append("review, then `galvo lock`")
    return found
