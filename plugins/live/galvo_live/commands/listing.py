"""`galvo plugins`, asked of a running application: the command's end, which the kernel finds by its entry points."""

from __future__ import annotations

from typing import Any

import galvo_local
from galvo_live.commands.asking import asked
from galvo_live.questions import NAME

SECONDS = 5.0


def ask(pid: int) -> dict[str, Any]:
    """Its "plugins" as `Kernel.plugins` tells them; a "problem" when it does not."""
    return asked({"do": "plugins"}, pid, SECONDS)


def here() -> list[int]:
    """Those that can be asked and run in this folder."""
    return [pid for pid in galvo_local.processes(NAME) if galvo_local.here(pid)]
