"""With pyvips and without, where that makes a difference."""

from __future__ import annotations

import pytest

from galvo_memory.images import plan
from galvo_memory.images.vips import vips


@pytest.fixture(params=["vips", "pillow"])
def route(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which library decodes PNG, WebP and TIFF."""
    if request.param == "pillow":
        monkeypatch.setattr(plan, "vips", lambda: None)
    elif vips() is None:
        pytest.skip("pyvips is not installed")
    name: str = request.param
    return name
