"""Asks before anything is changed."""

from __future__ import annotations

import sys

from galvo import GalvoError


def agreed(question: str, *, yes: bool, json: bool) -> bool:
    """Raises GalvoError where nobody can be asked."""
    if yes:
        return True
    if json or not sys.stdin.isatty():
        raise GalvoError("nothing was changed: there is nobody to ask here, so say --yes to go on")
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
