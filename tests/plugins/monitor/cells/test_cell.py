from __future__ import annotations

from typing import Any

from galvo_monitor.cells.cell import Counter


class Late(list[float]):
    """Another thread tells a value while these are taken."""

    late = True

    def __getitem__(self, key: Any) -> Any:
        taken = super().__getitem__(key)
        if self.late:
            self.late = False
            self.append(5.0)
        return taken


def test_what_is_told_while_it_settles_is_not_lost() -> None:
    cell = Counter()
    cell.values = Late([1.0, 2.0])
    cell.settle()
    assert (cell.total, cell.values) == (3.0, [5.0])
    cell.settle()
    assert (cell.total, cell.values) == (8.0, [])
