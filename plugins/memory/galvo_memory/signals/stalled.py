"""PSI: the share of time in which somebody waited for memory."""

from __future__ import annotations

import re
from pathlib import Path

from galvo_memory.errors import Unreadable
from galvo_memory.signals.files import read

SOME = re.compile(r"^some avg10=(\d+(?:\.\d+)?)", re.M)


def stalled(path: Path) -> float:
    """Percent of the last 10 s in which some task waited for memory. Raises Unreadable."""
    found = SOME.search(read(path))
    if found is None:
        raise Unreadable(path, "it is not as Linux writes it")
    return float(found[1])
