"""The distributions that third parties install, built offline by hatchling from this checkout."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]


def built(projects: Iterable[str], folder: Path) -> Path:
    """`folder`, with a wheel of each project, which is named by its path in the repository."""
    for project in projects:
        assert [*WheelBuilder(str(ROOT / project)).build(directory=str(folder), versions=["standard"])]
    return folder
