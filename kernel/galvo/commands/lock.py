"""`galvo lock`: writes entrypoints.toml."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from galvo import discovery

TEXT = "Write entrypoints.toml from what is installed."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    path = Path(discovery.FILE)
    listings = discovery.lock(discovery.read(path) if path.is_file() else [])
    path.write_text(discovery.render(listings), "utf-8")
    if options.json:
        print(json.dumps(msgspec.to_builtins(listings)))
    else:
        print(f"{path}: {', '.join(listing.name for listing in listings) or 'no plugins installed'}")
    return 0
