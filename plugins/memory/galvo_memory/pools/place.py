"""Where in the code something was taken."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType

OWN = f"{Path(__file__).parent}/"


class Place:
    """Cheap to take; the text is made when somebody asks."""

    __slots__ = ("_code", "_line")

    def __init__(self, skip: int = 1) -> None:
        """The innermost caller outside of pools; `skip`: frames that need no look."""
        frame = sys._getframe(skip)
        while frame.f_code.co_filename.startswith(OWN) and frame.f_back is not None:
            frame = frame.f_back
        self._code: CodeType = frame.f_code
        self._line = frame.f_lineno

    def __str__(self) -> str:
        return f"{self._code.co_filename}:{self._line} in {self._code.co_name}"
