"""The names by which a process is reached from its own machine."""

from __future__ import annotations

LOOPBACK = ("127.0.0.1", "localhost", "::1")
