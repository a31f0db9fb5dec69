"""A private PostgreSQL and Redis from PyPI wheels, started on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from galvo_embedded.plugin import EmbeddedPlugin as EmbeddedPlugin
    from galvo_embedded.plugin import EmbeddedSettings as EmbeddedSettings
    from galvo_embedded.servers import Servers as Servers

_HOMES = {"EmbeddedPlugin": "plugin", "EmbeddedSettings": "plugin", "Servers": "servers"}


def __getattr__(name: str) -> Any:
    # Imported late: the keeper lives in this package too and stays small and quick without pydantic, anyio.
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
