"""Which requests are run at all."""

from __future__ import annotations


class Guarded:
    """Mixed into `Request`."""
