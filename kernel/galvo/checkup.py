"""What `galvo doctor` tells: one line each, by the kernel and by every plugin's `checkup`."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True):
    """One thing that was looked at. No secrets: it is shown, and copied into reports."""

    subject: str
    """What was looked at, in a few words: "PostgreSQL", "max_connections"."""
    found: str
    """What it is."""
    verdict: Literal["ok", "advice", "problem"] = "ok"
    """"problem": something does not work, or will not for long."""
    advice: str = ""
    """What to change, by name, in one line."""
