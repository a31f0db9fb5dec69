"""A real Alertmanager: it accepts, tells once of what is told again, and resolves."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from galvo_monitor.alerts import Alerting
from galvo_monitor.alerts.notifying import Alertmanager, Sender
from tests.plugins.monitor.alerts.debian import program
from tests.plugins.monitor.alerts.listener import Listener, listening, until
from tests.plugins.monitor.alerts.stand import LOG, engine, rule, series

pytestmark = pytest.mark.anyio


class Now:
    """A Source of what is so now."""

    def __init__(self, **values: float) -> None:
        self.values = {series(host=host): value for host, value in values.items()}

    def select(self, metric: str, aggregate: str, attributes: object = None) -> list[Any]:
        return list(self.values)

    def window(self, one: Any, now: float, seconds: float) -> list[float]:
        return [self.values[one]]


@asynccontextmanager
async def alertmanager(folder: Path, there: Listener) -> AsyncIterator[httpx.AsyncClient]:
    """A client of one that tells `there`."""
    found = shutil.which("alertmanager") or program("prometheus-alertmanager", "prometheus-alertmanager")
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"127.0.0.1:{free.getsockname()[1]}"
    config = {
        "route": {"receiver": "there", "group_wait": "10ms", "group_interval": "100ms", "repeat_interval": "1h"},
        "receivers": [{"name": "there", "webhook_configs": [{"url": there.url, "send_resolved": True}]}],
    }
    (folder / "am.yml").write_text(json.dumps(config))
    storage = f"--storage.path={folder}/data"
    process = started(
        [found, f"--config.file={folder}/am.yml", storage, f"--web.listen-address={url}", "--cluster.listen-address="],
        folder / "log",
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{url}", trust_env=False) as client:
            with anyio.fail_after(60):
                while not await _ready(client):
                    assert process.poll() is None, (folder / "log").read_text()
                    await anyio.sleep(0.05)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=file)


async def _ready(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/-/ready")).status_code == 200
    except httpx.HTTPError:
        return False


async def active(client: httpx.AsyncClient, name: str = "") -> list[Any]:
    """Alerts, after at least those of `name` have come."""
    with anyio.fail_after(20):
        while True:
            found = (await client.get("/api/v2/alerts")).json()
            if not name or any(one["labels"]["host"] == name for one in found):
                return list(found)
            await anyio.sleep(0.02)


async def test_accepted_told_once_resolved(tmp_path: Path) -> None:
    async with listening() as there, alertmanager(tmp_path, there) as client, anyio.create_task_group() as tasks:
        sender = Sender(Alertmanager(str(client.base_url), resend=0), LOG)
        alerting = Alerting(engine(rule(labels={"team": "night"})), [sender], LOG)
        tasks.start_soon(alerting.run)
        source = Now(a=90)
        await alerting.judge(time.time(), source)
        await there.came(1)
        (first,) = await active(client, "a")
        assert first["labels"] == {"alertname": "High", "severity": "warning", "host": "a", "team": "night"}
        for value in (91, 92):
            source.values[series(host="a")] = value
            await alerting.judge(time.time(), source)
        source.values[series(host="b")] = 95
        await alerting.judge(time.time(), source)
        await there.came(2)
        found = await active(client, "b")
        assert len({one["fingerprint"] for one in found}) == len(found) == 2
        source.values = dict.fromkeys(source.values, 5)
        await alerting.judge(time.time(), source)
        await there.came(3)
        await until(lambda: json.loads(there.bodies[-1])["status"] == "resolved")
        assert await active(client) == []
        tasks.cancel_scope.cancel()
    told = [json.loads(body) for body in there.bodies]
    assert [one["labels"]["host"] for one in told[0]["alerts"]] == ["a"]
    assert len(told) <= 4, "what is told again was told on"
    assert {(one["labels"]["host"], one["status"]) for one in told[-1]["alerts"]} >= {("b", "resolved")}


async def test_what_is_told_no_longer_is_over_by_itself(tmp_path: Path) -> None:
    async with listening() as there, alertmanager(tmp_path, there) as client:
        sender = Alertmanager(str(client.base_url), interval=0.1, resend=0.1)
        fires = engine(rule()).evaluate(time.time(), Now(a=90))
        while not there.bodies:  # it is over in 0.4 s unless it is told again, and nobody hears of what is over by then
            await sender.send(fires)
            await anyio.sleep(0.02)
        await sender.close()
        await there.came(2)
    assert [json.loads(body)["status"] for body in there.bodies] == ["firing", "resolved"]
