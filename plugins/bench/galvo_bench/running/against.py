"""A run beside an earlier one that was made on the same machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from galvo_bench.results.baseline import compared
from galvo_bench.results.model import Run, Section
from galvo_bench.results.store import load
from galvo_bench.results.unlike import must_be_alike


class Against:
    """The run of `--against`, if there is one. Raises GalvoError when it cannot be read."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._base = load(Path(options.against)) if options.against else None
        self._force = bool(options.force)

    def must_be_alike(self, run: Run) -> None:
        """Before it is measured; which servers it will use is not known yet. Raises Unlike."""
        if self._base and not self._force:
            must_be_alike(self._base, run)

    def worse(self, run: Run, each: Callable[[Section], None]) -> list[str]:
        """In words; the comparison is given to `each`. Raises Unlike."""
        if self._base is None:
            return []
        found = compared(self._base, run, force=self._force)
        for section in found.sections:
            each(section)
        return found.worse
