"""Where a run was made: whatever its numbers depend on, and nothing that says whose machine it is."""

from __future__ import annotations

import asyncio
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

import galvo
from galvo_bench.results.settings import fingerprint

LIBRARIES = (
    "galvo", "asyncpg", "redis", "hiredis", "msgspec", "anyio", "cashews", "aiocache", "dogpile.cache", "coredis",
    "theine", "cachebox", "psycopg", "psycopg_pool", "celery", "kombu", "taskiq-redis", "procrastinate", "pillow",
    "pyvips", "prometheus_client", "opentelemetry-sdk", "ddsketch", "pyperf", "uvloop",
)  # fmt: skip
WAIT = 5.0
"""Seconds for a server to tell its version."""


class Machine(msgspec.Struct, frozen=True):
    python: str
    loop: str
    cores: int
    """That this process may use."""
    load: float
    """Of the last minute, when the run began."""
    libraries: dict[str, str]
    """Versions of those that are installed."""
    commit: str = ""
    """Of galvo's sources, with `+` when they were changed since; empty: installed from a package."""
    cpu: str = ""
    memory: str = ""
    system: str = ""
    """The operating system's kernel."""
    settings: str = ""
    """Fingerprint of what is set for galvo."""
    postgres: str = ""
    """Version of the server that was used; empty: none was."""
    redis: str = ""


def machine(loop: str = "asyncio") -> Machine:
    """This one; its servers are not known yet. Raises SettingsError."""
    return Machine(
        python=platform.python_version(),
        loop=loop,
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0.0,
        libraries={name: version for name in LIBRARIES if (version := _version(name))},
        commit=commit_of(Path(galvo.__file__)),
        cpu=_cpu(),
        memory=_memory(),
        system=f"{platform.system()} {platform.release()}",
        settings=fingerprint(Path()),
    )


async def with_servers(known: Machine, postgres: str = "", redis: str = "") -> Machine:
    """It, with the versions of the servers at these URLs; one that does not answer stays unknown."""
    return msgspec.structs.replace(
        known,
        postgres=await _asked(_postgres(postgres)) if postgres else known.postgres,
        redis=await _asked(_redis(redis)) if redis else known.redis,
    )


async def _asked(question: Any) -> str:
    try:
        return str(await asyncio.wait_for(question, WAIT))
    except Exception:  # noqa: BLE001  # what was measured counts, even when the server is gone by now
        return ""


async def _postgres(url: str) -> str:
    import asyncpg

    connection = await asyncpg.connect(url, timeout=WAIT)
    try:
        return str(await connection.fetchval("show server_version")).split()[0]
    finally:
        await connection.close()


async def _redis(url: str) -> str:
    from redis.asyncio import Redis

    async with Redis.from_url(url) as client:
        return str((await client.info("server"))["redis_version"])


def commit_of(source: Path) -> str:
    """Of the checkout that `source` belongs to; a checkout that only has a virtual environment in it is not that."""
    if _git(source.parent, "ls-files", "--error-unmatch", source.name) is None:
        return ""
    changed = _git(source.parent, "status", "--porcelain", "--untracked-files=no", ":/")
    return (_git(source.parent, "rev-parse", "--short=12", "HEAD") or "") + ("+" if changed else "")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> str:
    import psutil

    return f"{psutil.virtual_memory().total / 2**30:.1f} GiB"


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
