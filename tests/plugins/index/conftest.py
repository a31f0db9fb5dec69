"""The server with contrib and HypoPG: one per run, a fresh database per test."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest

from tests.conftest import execute
from tests.plugins.index import debian

NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def debian_server_dsn() -> Iterator[str]:
    """The maintenance database; pg_stat_statements is loaded."""
    with debian.server() as dsn:
        yield dsn


@pytest.fixture
def debian_dsn(debian_server_dsn: str) -> Iterator[str]:
    """A fresh database with HypoPG; its user is a superuser."""
    name = f"test_{next(NUMBERS)}"
    dsn = debian_server_dsn.replace("/postgres?", f"/{name}?")
    asyncio.run(execute(debian_server_dsn, f"create database {name}"))
    asyncio.run(execute(dsn, "create extension hypopg"))
    yield dsn
    asyncio.run(execute(debian_server_dsn, f"drop database {name} with (force)"))
