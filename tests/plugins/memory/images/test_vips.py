"""pyvips is there as a whole or not at all, for as many threads as ask for it first."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from galvo_memory.images.vips import vips

SLOW = """
import stand_of_vips as stand
stand.begun.set()
assert stand.go.wait(30)
cache_set_max = stand.told.append
"""


@pytest.mark.parametrize("by", ["galvo", "application"])
def test_who_asks_while_it_is_imported_waits_for_it(by: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand = ModuleType("stand_of_vips")
    begun, go, told = threading.Event(), threading.Event(), list[int]()
    vars(stand).update(begun=begun, go=go, told=told)
    monkeypatch.setitem(sys.modules, "stand_of_vips", stand)
    monkeypatch.setitem(sys.modules, "pyvips", stand)  # what is there comes back after the test
    del sys.modules["pyvips"]
    (tmp_path / "pyvips.py").write_text(SLOW)
    monkeypatch.syspath_prepend(tmp_path)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(vips if by == "galvo" else lambda: import_module("pyvips"))
        assert begun.wait(30)
        second = threads.submit(lambda: hasattr(vips(), "cache_set_max"))
        wait([second], 0.1)
        go.set()
        assert second.result(30), "it got a half of it"
        assert first.result(30) is vips()
    assert told == ([0] if by == "galvo" else []), "whose it is, sets it up"
