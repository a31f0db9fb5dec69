"""`galvo monitor export grafana|rules`: the same charts and rules for Grafana and Prometheus."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from galvo_monitor.errors import MonitorProblem
from galvo_monitor.export.grafana import dashboard


class NotWritten(MonitorProblem):
    """The file cannot be written."""


def main(argv: Sequence[str]) -> int:
    """0: written. Raises NotWritten, and SettingsError for rules that cannot be read."""
    options = parser().parse_args(argv)
    text = WHAT[options.what]()
    if options.output is None:
        sys.stdout.write(text)
        return 0
    try:
        options.output.write_text(text, "utf-8")
    except OSError as error:
        raise NotWritten(f"{options.output} cannot be written: {error.strerror}") from None
    print(f"{options.output}: written")
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="galvo monitor export",
        description="Write a dashboard to import in Grafana, or the alert rules of settings/ as Prometheus reads them.",
    )
    made.add_argument("what", choices=sorted(WHAT), help="what to write")
    made.add_argument("--output", "-o", type=Path, metavar="FILE", help="default: standard output")
    return made


def _grafana() -> str:
    return json.dumps(dashboard(), indent=2) + "\n"


WHAT: dict[str, Callable[[], str]] = {"grafana": _grafana}
