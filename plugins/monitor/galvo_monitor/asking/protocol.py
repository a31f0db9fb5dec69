"""One question, one answer, both JSON."""

from __future__ import annotations

import msgspec

NAME = "monitor"
"""By which the plugin is asked."""


class Question(msgspec.Struct, frozen=True):
    """The answer is a `View`."""

    live: bool = False
    """Somebody looks on: the next views are to come sooner."""
