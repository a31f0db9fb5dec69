"""A kernel with the plugin, asked by the commands and scraped."""

from __future__ import annotations

import json
import os

import httpx
import pytest
from anyio.to_thread import run_sync

from galvo import Kernel, Metric
from galvo_monitor import MonitorPlugin, status, top
from galvo_monitor.export.mounting import metrics
from tests.plugins.monitor.asking.test_commands import run
from tests.plugins.monitor.export.test_exposition import samples

pytestmark = pytest.mark.anyio
QUICK = {"interval": 0.2, "database": False}
WAIT = Metric("http.server.request.duration", "histogram", "s", (("http.response.status_code", "200"),))


async def test_status_and_top_of_this_process() -> None:
    async with Kernel.of({MonitorPlugin: QUICK}) as kernel:
        monitor = kernel.find_capability("monitor")
        view = monitor.view()
        while "loop" not in {panel.name for panel in view.panels}:
            view = await monitor.wait(view.at)
        told = json.loads((await run_sync(run, status.main, os.getpid(), "--json")).stdout)
        assert told["pid"] == os.getpid()
        assert told["at"] >= view.at
        done = await run_sync(run, top.main, os.getpid())
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"galvo process {os.getpid()}, up ")
        assert "System ───" in done.stdout


async def test_its_metrics_are_scraped() -> None:
    async with Kernel.of({MonitorPlugin: QUICK}) as kernel:
        for seconds in (0.001, 0.2, 30):
            kernel.record(WAIT, seconds)
        transport = httpx.ASGITransport(metrics(kernel, token="s3cret"))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.get("/metrics", headers={"authorization": "Bearer s3cret"})
        found = samples(answer.text)
        ok = ("http_response_status_code", "200")
        assert found["http_server_request_duration_seconds_count", (ok,)] == 3
        assert found["http_server_request_duration_seconds_bucket", (ok, ("le", "10"))] == 2
