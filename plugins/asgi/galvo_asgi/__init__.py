"""A kernel that lives as long as an ASGI application: Starlette, FastAPI, Django."""

from typing import TYPE_CHECKING, Any

from galvo_asgi.lifespan import lifespan
from galvo_asgi.running import started
from galvo_asgi.wrapper import with_kernel

if TYPE_CHECKING:
    from galvo_asgi.dependencies import Transaction, kernel

__all__ = ["Transaction", "kernel", "lifespan", "started", "with_kernel"]


def __getattr__(name: str) -> Any:
    """`kernel` and `Transaction` need FastAPI; whoever does not use them does without it."""
    if name in ("Transaction", "kernel"):
        from galvo_asgi import dependencies

        return getattr(dependencies, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
