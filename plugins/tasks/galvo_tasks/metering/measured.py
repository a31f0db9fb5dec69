"""What is measured of a request, in the worker's main process."""

from __future__ import annotations


class Measured:
    """Mixed into `Request`."""
