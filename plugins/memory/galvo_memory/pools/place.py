"""Where in the code something was taken."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import CodeType

OWN = (f"{Path(__file__).parent}/", contextlib.__file__)


class Place:
    """Cheap to take; the text is made when somebody asks."""

    __slots__ = ("_code", "_line")

    def __init__(self) -> None:
        """The innermost caller outside of pools."""
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_code.co_filename.startswith(OWN):
            frame = frame.f_back
        self._code: CodeType = frame.f_code
        self._line = frame.f_lineno

    def __str__(self) -> str:
        return f"{self._code.co_filename}:{self._line} in {self._code.co_name}"
