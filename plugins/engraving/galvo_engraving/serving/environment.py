"""What the application's kernel and its worker's find in the environment: the same servers.

Not in arguments, which everybody on the machine can read: the database's URL may hold a password.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

DOTS = 4 << 20
"""Bytes of the dots of a large raster."""


def prepare(url: str, redis: str, without: Iterable[str]) -> None:
    """What somebody has set himself stays."""
    os.environ["GALVO_POOL__URL"] = url
    for name, value in {
        "GALVO_EMBEDDED__ON": "false",  # its servers run already
        "GALVO_CACHE__REDIS": redis,
        "GALVO_CACHE__MAX_ENTRY_BYTES": str(DOTS),
        "GALVO_TASKS__BROKER": redis,
        "GALVO_TASKS__APP": "galvo_engraving.jobs.app:app",
    }.items():
        os.environ.setdefault(name, value)
    for name in without:
        os.environ[f"GALVO_{name.upper()}__ON"] = "false"
