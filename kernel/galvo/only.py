"""One plugin by itself, for commands that need no more of an application than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from galvo.blueprint import plan
from galvo.errors import GalvoError
from galvo.kernel import Kernel


@asynccontextmanager
async def only(capability: str) -> AsyncIterator[Any]:
    """The running plugin that provides `capability`, by the working directory's settings.

    Starts it, what it comes after, and no other. Raises GalvoError when none is on, or it does not start.
    """
    whole = plan(Path(), warn=False)
    found = next((item for item in whole.blueprints if capability in item.cls.provides and item.settings.on), None)
    if found is None:
        raise GalvoError(
            f"no plugin that provides a {capability} is on: set `on = true` under [{capability}] in settings/galvo.toml"
        )
    few = tuple(item for item in whole.blueprints if item.name in {found.name, *found.cls.after})
    async with Kernel(replace(whole, blueprints=few)) as kernel:
        running = kernel.find_capability(capability)
        if running is None:
            why = next(info["reason"] for info in kernel.plugins() if info["name"] == found.name)
            raise GalvoError(f"plugin {found.name!r}: {why}")
        yield running
