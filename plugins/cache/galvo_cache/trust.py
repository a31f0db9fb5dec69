"""Until when what is kept may be served: others must be able to tell of their writes, and the pool have no doubt."""

from __future__ import annotations

import math
from collections.abc import Callable


class Trust:
    """Tells `changed` the monotonic time until which answers may be served; 0.0 is: not now."""

    def __init__(self, changed: Callable[[float], None]) -> None:
        self._changed = changed
        self._lease = math.inf
        self._suspended = False

    def lease(self, until: float) -> None:
        """Other processes wait until then for this one's acknowledgement."""
        self._lease = until
        self._tell()

    def suspend(self) -> None:
        self._suspended = True
        self._tell()

    def resume(self) -> None:
        self._suspended = False
        self._tell()

    def _tell(self) -> None:
        self._changed(0.0 if self._suspended else self._lease)
