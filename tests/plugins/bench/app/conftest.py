"""The shop in small: its database, its load, its servers in a folder of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from galvo_bench.app import measure, ready, shop, steps, users
from galvo_bench.running.stand import Stand
from galvo_embedded import Servers
from tests.conftest import reachable_folder, until_released


class Apart(Stand):
    def __init__(self, folder: Path, postgres: str) -> None:
        super().__init__(postgres, rounds=1)
        self._folder = folder
        self._own: dict[str, Servers] = {}

    async def redis_of(self, name: str) -> str:
        return await self._own.setdefault(name, Servers(self._folder / name)).redis()

    def close(self) -> None:
        for servers in self._own.values():
            servers.close()
        until_released(self._folder)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stand(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    monkeypatch.setattr(shop, "SCALE", 0.02)
    monkeypatch.setattr(shop, "NAME", f"galvo_bench_app_{os.getpid()}")
    monkeypatch.setattr(ready, "BEFORE", {"plain": 20, "full": 800})
    monkeypatch.setattr(ready, "OWN", {"plain": 0, "full": 800})
    monkeypatch.setattr(steps, "FIRST", 10.0)
    monkeypatch.setattr(steps, "HIGHEST", 11.0)
    for module, name, value in (
        (measure, "COUNTED", 200),
        (measure, "SECONDS", 1.0),
        (measure, "PAGE", 0.5),
        (measure, "WARM", 0.2),
        (steps, "SECONDS", 1.0),
        (users, "SECONDS", 0.2),
        (users, "CLIENTS", (1, 8)),
        (users, "FILLING", 1.0),
    ):
        monkeypatch.setattr(module, name, value)
    with reachable_folder() as folder:
        stand = Apart(folder, server_dsn)
        yield stand
        stand.close()
    left = [child.cmdline() for child in psutil.Process().children(recursive=True) if "galvo_bench.app" in str(child)]
    assert left == []
