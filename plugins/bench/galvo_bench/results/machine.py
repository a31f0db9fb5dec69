"""Where a run was made: whatever its numbers depend on."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import msgspec

LIBRARIES = (
    "asyncpg", "redis", "hiredis", "cashews", "aiocache", "dogpile.cache", "coredis", "theine", "cachebox",
    "psycopg", "psycopg_pool", "celery", "kombu", "taskiq-redis", "procrastinate", "pillow",
    "pyvips", "prometheus_client", "opentelemetry-sdk", "ddsketch", "uvloop",
)  # fmt: skip


class Machine(msgspec.Struct, frozen=True):
    python: str
    loop: str
    cores: int
    load: float
    """Of the last minute, when the run began."""
    libraries: dict[str, str]
    """Versions of those that are installed."""


def machine(loop: str = "asyncio") -> Machine:
    """This one."""
    found = {name: version for name in LIBRARIES if (version := _version(name))}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return Machine(platform.python_version(), loop, os.cpu_count() or 1, load, found)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
