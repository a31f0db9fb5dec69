"""`galvo api`: what a plugin is written against."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from galvo.api import render
from galvo.changelog import renewed
from galvo.plugin import API_VERSION

TEXT = "Print the plugin API: every public name with its parameters, types and defaults."


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--write", type=Path, metavar="FILE", help="put it into this CHANGELOG-API.md")


def run(options: argparse.Namespace) -> int:
    text = render()
    if options.write:
        options.write.write_text(renewed(options.write.read_text("utf-8"), text), "utf-8")
    version = ".".join(map(str, API_VERSION))
    print(json.dumps({"version": version, "api": text.splitlines()}) if options.json else f"{version}\n\n{text}")
    return 0
