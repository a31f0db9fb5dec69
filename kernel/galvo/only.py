"""One plugin by itself, for commands that need no more of an application than that."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from galvo.blueprint import Plan, plan
from galvo.errors import GalvoError
from galvo.kernel import Kernel


@asynccontextmanager
async def only(capability: str) -> AsyncIterator[Any]:
    """The running plugin that provides `capability`, by the working directory's settings.

    Starts it, what it requires and comes after, what those do, and no other. Raises GalvoError when none is on, or it
    does not start.
    """
    whole = plan(Path(), warn=False)
    on = {item.name: item for item in whole.blueprints if item.settings.on}
    found = next((item for item in on.values() if capability in item.cls.provides), None)
    if found is None:
        raise GalvoError(_missing(whole, capability))
    names = [found.name]
    for name in names:
        if name in on:
            names += [more for more in (*on[name].cls.requires, *on[name].cls.after) if more not in names]
    few = tuple(item for item in whole.blueprints if item.name in names)
    async with Kernel(replace(whole, blueprints=few)) as kernel:
        running = kernel.find_capability(capability)
        if running is None:
            why = next(info["reason"] for info in kernel.plugins() if info["name"] == found.name)
            raise GalvoError(f"plugin {found.name!r}: {why}")
        yield running


def _missing(whole: Plan, capability: str) -> str:
    """Why nobody provides it; what a plugin that cannot be loaded provides is not known."""
    table = f"[{capability}]" if any(item.name == capability for item in whole.blueprints) else "its table"
    cure = f"set `on = true` under {table} in settings/galvo.toml"
    broken = [f"plugin {item.name!r}: {item.failure}" for item in whole.blueprints if item.settings.on and item.failure]
    if broken:
        return f"nothing that could be loaded provides a {capability}: {cure}, unless it is {'; '.join(broken)}"
    return f"no plugin that provides a {capability} is on: {cure}"
