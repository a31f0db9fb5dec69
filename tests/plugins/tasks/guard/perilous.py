"""A stand whose tasks end badly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from galvo_tasks import celery_app
from galvo_tasks.guard.dead import dead_letters
from galvo_tasks.guard.entry import Entry
from tests.plugins.tasks.stand import Stand, standing

MODULE = "tests.plugins.tasks.guard.perils"


class Perilous:
    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.app = celery_app("perils", stand.settings)
        self.letters = dead_letters(self.app)

    def send(self, task: str, name: str, *rest: Any, **options: Any) -> None:
        self.app.send_task(f"{MODULE}.{task}", (name, *rest), task_id=name, **options)

    def let_go(self, name: str) -> None:
        """A task that is held, or will be, may end."""
        (self.stand.folder / f"{name}.go").touch()

    def begun(self, name: str) -> int:
        return self.stand.notes().count(f"begin {name}")

    def ended(self, name: str) -> int:
        return self.stand.notes().count(f"end {name}")

    def dead(self, name: str) -> list[Entry]:
        return [entry for entry in self.letters.entries() if entry.letter.id == name]

    def until_dead(self, name: str) -> Entry:
        found: list[Entry] = []

        def is_dead() -> bool:
            found[:] = self.dead(name)
            return bool(found)

        self.stand.until(is_dead)
        assert len(found) == 1
        return found[0]

    def until_ended(self, name: str) -> None:
        self.stand.until(lambda: self.ended(name) > 0)

    def until_begun(self, name: str) -> None:
        self.stand.until(lambda: self.begun(name) > 0)


@contextmanager
def perilous(folder: Path, broker: str, **settings: Any) -> Iterator[Perilous]:
    with standing(folder, broker, app=f"{MODULE}:app", **settings) as stand:
        yield Perilous(stand)
