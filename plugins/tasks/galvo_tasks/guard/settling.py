"""Tasks that have ended here, although another worker may have taken them for lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from galvo_local import printable
from galvo_tasks.guard.dead import DeadLetters
from galvo_tasks.guard.letter import Letter
from galvo_tasks.scaling.forks import uncut

logger = logging.getLogger(__name__)


@dataclass
class Ended:
    letter: Letter
    settled: bool = False
    """It was on the dead-letter list, and is not any more."""


class Settling:
    """Looks in a thread of its own: a list in RabbitMQ has to be read whole, while the worker's hub goes on.

    What falls due during a look is looked for together in the next one.
    """

    def __init__(self, letters: Callable[[], DeadLetters]) -> None:
        self._letters = letters
        self._due: dict[str, Ended] = {}
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def look(self, ended: Ended) -> None:
        """Soon; a look that fails is told, and not repeated."""
        with self._lock:
            self._due[ended.letter.key] = ended
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="galvo-settling", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while those := self._next():
            with uncut:  # no process forks meanwhile
                self._look(those)

    def _next(self) -> dict[str, Ended]:
        with self._lock:
            those, self._due = self._due, {}
            if not those:
                self._thread = None
            return those

    def _look(self, those: dict[str, Ended]) -> None:
        try:
            found = self._letters().settle(those)
        except Exception as error:  # noqa: BLE001  # looked for again, and no harm if that is in vain
            logger.warning("cannot look whether %s were called lost: %s", _named(those.values()), error)
            return
        for entry in found:
            those[entry.key].settled = True
        if found:
            said = _named([those[entry.key] for entry in found])
            logger.warning("%s has ended after all: off the dead-letter list", said)


def _named(those: Collection[Ended]) -> str:
    return printable(", ".join(f"task {one.letter.task}[{one.letter.id}]" for one in those))
