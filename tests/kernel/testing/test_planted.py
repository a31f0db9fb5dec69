"""For each check a planted plugin that it catches, by name, and that nothing but the kit would notice."""

from __future__ import annotations

import atexit
import logging
import os
import signal
from collections.abc import Callable
from importlib import metadata
from typing import Any

import pytest

import tests.kernel.testing.planted_hooks  # noqa: F401  # it plants more
from galvo import Plugin
from galvo.testing import PluginContract
from galvo.testing.stage import Stage
from tests.kernel.testing.planted import PLANTED, Files, Kept, Layer, Tasks, Threads

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def stage_of(plugin: type[Plugin], check: str, **more: Any) -> Stage:
    contract = PluginContract
    attributes = {
        name: getattr(contract, name)
        for name in (
            "settings", "changed", "hostile_settings", "beside", "statement", "failing", "budget", "injected",
            "shares_work",
            "thorough",
        )
    }  # fmt: skip
    return Stage(plugin=plugin, check=check, **(attributes | more))


@pytest.fixture(autouse=True)
def tidy() -> Any:
    """What the planted ones leave is taken away."""
    Threads.ends.clear()
    Kept.all = []  # what was there when tests/conftest.py froze it is no referrer to gc
    handler = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, handler)
    Threads.ends.set()
    logging.getLogger("kit.planted").handlers.clear()
    atexit.unregister(int)
    for file in Files.held:
        os.close(file)
    Files.held.clear()
    for task in Tasks.held:
        task.cancel()
    Tasks.held.clear()


@pytest.mark.parametrize("check, plugin, found", PLANTED, ids=[f"{c}-{p.__name__}" for c, p, _ in PLANTED])
async def test_it_is_caught(check: str, plugin: type[Plugin], found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("stage", "leaks"):
        monkeypatch.setattr(f"galvo.testing.{place}.PATIENCE", 0.1)
    text = await said(getattr(PluginContract(), f"test_{check}"), stage_of(plugin, check))
    assert text.startswith(f"plugin 'planted', {check}: "), text
    assert found in text, text


async def said(check: Callable[[Stage], Any], stage: Stage) -> str:
    """By its AssertionError."""
    try:
        if (running := check(stage)) is not None:
            await running
    except AssertionError as error:
        return str(error)
    pytest.fail("it was not caught")


@pytest.mark.parametrize("name", ["Upper", "two__lines", "kernel", "", None, 7])
def test_a_name_that_is_none(name: Any) -> None:
    plugin = type("Planted", (Plugin,), {} if name is None else {"name": name})
    with pytest.raises(AssertionError, match="plugin Planted, name: it is called"):
        PluginContract().test_name(stage_of(plugin, "name"))


@pytest.mark.parametrize(
    "name, value, found",
    [
        ("other", f"{Layer.__module__}:Layer", "its entry point is called 'other'"),
        ("planted", "galvo.testing.stage:Stage", "leads to galvo.testing.stage:Stage"),
    ],
)
def test_an_entry_point_that_leads_elsewhere(
    name: str, value: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [metadata.EntryPoint(name, value, group)])
    monkeypatch.setattr(Layer, "name", "planted", raising=False)
    with pytest.raises(AssertionError, match=found):
        PluginContract().test_entry_point(stage_of(Layer, "entry_point"))


def test_every_check_catches_something() -> None:
    checks = {name.removeprefix("test_") for name in dir(PluginContract) if name.startswith("test_")}
    assert checks - {check for check, _, _ in PLANTED} == {"name", "entry_point"}
