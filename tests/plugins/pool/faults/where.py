"""Where a task waits, down to the innermost coroutine."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any


def where(task: asyncio.Task[Any]) -> str:
    found, inner = [], task.get_coro()
    while inner is not None:
        frame = next((f for name in ("cr_frame", "gi_frame", "ag_frame") if (f := getattr(inner, name, None))), None)
        if frame is not None:
            found.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}")
        after = next((i for name in ("cr_await", "gi_yieldfrom") if (i := getattr(inner, name, None))), None)
        if after is None:
            found.append(repr(inner)[:200])
        inner = after
    return " > ".join(found)
