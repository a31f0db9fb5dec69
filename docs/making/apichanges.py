"""`CHANGELOG-API.md`, without its title."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).parents[2] / "CHANGELOG-API.md"


def markdown() -> str:
    return FILE.read_text("utf-8").partition("\n")[2].strip()
