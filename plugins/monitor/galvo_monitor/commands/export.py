"""`galvo monitor export grafana|rules`: the same charts and rules for Grafana and Prometheus."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from galvo.operating import plan
from galvo_monitor.alerts import rules_of, rules_yml
from galvo_monitor.arguments import existing, seconds
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.export.grafana import dashboard
from galvo_monitor.settings import MonitorSettings


class NotWritten(MonitorProblem):
    """The file cannot be written."""


class NoSettings(MonitorProblem):
    """The plugin is not among those that may load."""


def main(argv: Sequence[str]) -> int:
    """0: written. Raises NotWritten, NoSettings, and SettingsError for settings that cannot be read."""
    options = parser().parse_args(argv)
    text = WHAT[options.what](options)
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
    text = "between two scrapes of Prometheus, for rules (30)"
    made.add_argument("--interval", type=seconds(1), default=30.0, metavar="SECONDS", help=text)
    made.add_argument("--folder", type=existing, default=Path(), help="where settings/ is, for rules (.)")
    return made


def _grafana(options: argparse.Namespace) -> str:
    return json.dumps(dashboard(), indent=2) + "\n"


def _rules(options: argparse.Namespace) -> str:
    settings = _settings(options.folder)
    return rules_yml(rules_of(settings.rules, settings.without), options.interval)


WHAT: dict[str, Callable[[argparse.Namespace], str]] = {"grafana": _grafana, "rules": _rules}


def _settings(folder: Path) -> MonitorSettings:
    for blueprint in plan(folder, everything=True, warn=False).blueprints:
        if isinstance(blueprint.settings, MonitorSettings):
            return blueprint.settings
    raise NoSettings("the monitor is not in entrypoints.toml: `galvo lock` writes what is installed")
