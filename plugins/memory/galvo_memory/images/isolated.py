"""Decoding in a child process, for files of strangers: a decoder that crashes, hangs or takes too much ends alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from galvo.sizes import show
from galvo_memory.budgets import WorkerDied, run_limited
from galvo_memory.images.errors import CorruptImage, ImageBomb

T = TypeVar("T")
SECONDS = 60.0
BESIDE = 192 << 20
"""Bytes that the system counts and nobody touches: threads' stacks, and the libraries when they are first imported."""


async def in_process(work: Callable[[], T], name: str, size: int) -> T:
    """What `work()` gives or raises; `size` is its estimate, bytes. Raises ImageBomb, CorruptImage, BudgetTooLarge."""
    try:
        return await run_limited(work, max_bytes=size + BESIDE, timeout=SECONDS)
    except MemoryError:
        raise ImageBomb(name, f"it needed more than the {show(size)} its header tells: save it again") from None
    except TimeoutError:
        raise ImageBomb(name, f"it was not decoded within {SECONDS:g} s: save it again") from None
    except WorkerDied as error:
        raise CorruptImage(name, f"its decoder crashed: {error}") from error
