"""The commands that installed plugins add to `galvo`.

A plugin adds a command by an entry point in the group `galvo.commands`: `bench = "package:main"` becomes
`galvo bench`, `"run.demo" = "package:main"` becomes `galvo run demo`. `main(argv: list[str]) -> int` gives the
exit code: 0 done, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

from importlib import metadata

GROUP = "galvo.commands"


def commands() -> dict[str, metadata.EntryPoint]:
    """What installed plugins add, by name."""
    return {point.name: point for point in metadata.entry_points(group=GROUP)}
