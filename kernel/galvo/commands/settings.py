"""`galvo settings`: a settings file with every key."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from galvo.blueprint import plan
from galvo.document import document

TEXT = "Print a settings file with every key, its default and its meaning."


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(options: argparse.Namespace) -> int:
    blueprints = plan(Path(), everything=True, warn=False).blueprints
    if options.json:
        print(json.dumps({item.name: item.cls.settings_type.model_json_schema() for item in blueprints}))
    else:
        print(document((item.name, summary(item.cls), item.cls.settings_type) for item in blueprints), end="")
    return 0


def summary(cls: type) -> str:
    """The first line of a plugin's docstring."""
    return (cls.__doc__ or "").strip().partition("\n")[0]
