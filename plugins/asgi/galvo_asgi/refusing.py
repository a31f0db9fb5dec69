"""A start that fails is told in one sentence: neither a traceback of galvo's nor one of Starlette's."""

from __future__ import annotations

import logging

from galvo import GalvoError


def sentence(error: GalvoError) -> str:
    return f"the kernel cannot start: {error}"


class Refusal(logging.Filter):
    """Starlette hands the server a traceback of whatever ended the start, and uvicorn logs that text.

    This leaves of it what it ends with.
    """

    def __init__(self, error: GalvoError) -> None:
        super().__init__()
        self._error = error
        self._log = logging.getLogger("uvicorn.error")

    def install(self) -> None:
        for earlier in [each for each in self._log.filters if isinstance(each, Refusal)]:
            self._log.removeFilter(earlier)  # other servers than uvicorn log nothing that would take it away
        self._log.addFilter(self)

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if text.startswith("Traceback ") and text.rstrip().endswith(str(self._error)):
            record.msg, record.args = sentence(self._error), ()
            self._log.removeFilter(self)
        return True
