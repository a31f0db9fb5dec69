"""One plugin by itself: what starts with it, and what is said when there is none."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from galvo import GalvoError, Plugin, discovery
from galvo.discovery import Listing
from galvo.operating import only

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def _application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """shop requires stock, which comes after depot; nobody needs other."""
    module = ModuleType("galvo_test_only")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    classes: dict[str, dict[str, Any]] = {
        "other": {},
        "shop": {"provides": ("till",), "requires": ("stock",)},
        "stock": {"after": ("depot", "absent")},
        "depot": {},
    }
    for name, members in classes.items():
        setattr(module, name, type(name, (Plugin,), {"name": name, **members}))
    listings = [Listing(name, f"{module.__name__}:{name}") for name in classes]
    (tmp_path / discovery.FILE).write_text(discovery.render(listings))
    monkeypatch.chdir(tmp_path)


async def test_what_it_needs_starts_with_it() -> None:
    async with only("till") as shop:
        assert sorted(shop.context.running()) == ["depot", "shop", "stock"]


async def test_what_is_off_and_what_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_SHOP__ON", "false")
    with pytest.raises(GalvoError, match=r"^no plugin that provides a till is on: set `on = true` under its table"):
        async with only("till"):
            pass
    monkeypatch.delenv("GALVO_SHOP__ON")
    monkeypatch.setattr(sys.modules["galvo_test_only"].shop, "api", ">=2")
    with pytest.raises(GalvoError, match=r"provides a till: .* plugin 'shop': wants plugin API '>=2'"):
        async with only("till"):
            pass
