"""The page of a kernel with the real plugin."""

from __future__ import annotations

import time

import httpx
import pytest

from galvo import Kernel
from galvo_monitor import MonitorPlugin
from galvo_monitor.page import mounted

pytestmark = pytest.mark.anyio


async def test_a_kernel_that_starts_later_and_ends() -> None:
    kernel = Kernel.of({MonitorPlugin: {"interval": 0.1, "answer": False, "database": False}})
    app = mounted(kernel, public=True)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
        assert (await asking.get("/view")).status_code == 503
        async with kernel:
            frames = app.state.streams.frames()
            for _ in range(4):
                assert (await anext(frames))[:6] in (b"retry:", b"event:")
            await frames.aclose()
            view = (await asking.get("/view")).json()
            series = view["panels"][0]["charts"][0]["values"][0]["series"]
            query = {"series": series, "start": time.time() - 60, "end": time.time() + 1}
            past = (await asking.get("/past", params=query)).json()
            assert len(past[series]["times"]) >= 1
        assert (await asking.get("/view")).status_code == 503
        assert (await asking.get("/past", params=query)).json() == {series: None}
