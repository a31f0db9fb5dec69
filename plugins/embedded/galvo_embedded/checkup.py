"""What `galvo doctor` says of the embedded servers."""

from __future__ import annotations

import shutil
from pathlib import Path

from galvo import Finding
from galvo.sizes import show

LEAST = 1 << 30
"""Bytes that should be free for them."""


def checkup(folder: Path, running: dict[str, str]) -> list[Finding]:
    """`running`: versions by title."""
    if not running:
        return [Finding("servers", "none was asked for")]
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return [Finding("folder", str(folder), "problem", f"{error.strerror}: correct data under [embedded]")]
    told = [Finding(title, f"{version}, private, in {folder}") for title, version in running.items()]
    advice = f"free the disk of {folder}, or write another folder as data under [embedded]"
    low = free < LEAST
    return [*told, Finding("disk", f"{show(free)} free", "advice" if low else "ok", advice if low else "")]
