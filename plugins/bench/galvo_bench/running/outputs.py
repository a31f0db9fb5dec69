"""Where a run's results go besides the terminal."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from galvo import GalvoError
from galvo_bench.results import store
from galvo_bench.results.model import Run
from galvo_bench.results.usage import Usage


class Outputs:
    """`last.json` after every subject; the files that were asked for at the end."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._files = {name: Path(given) for name in ("save", "markdown", "html") if (given := getattr(options, name))}
        self.failed = False
        """Whether something could not be written; of `last.json` it is said once."""

    def must_be_writable(self) -> None:
        """Raises Usage."""
        for path in (store.LAST, *self._files.values()):
            try:
                store.must_be_writable(path)
            except GalvoError as error:
                raise Usage(str(error)) from None

    def keep(self, run: Run) -> None:
        """A full disk must not cost what is in memory: the run goes on."""
        try:
            store.save(store.LAST, run)
        except GalvoError as error:
            if not self.failed:
                print(f"galvo: {error}", file=sys.stderr)
            self.failed = True

    def write(self, run: Run) -> None:
        """Each, whatever became of the others."""
        for name, path in self._files.items():
            try:
                store.write_text(path, _text(name, run))
            except GalvoError as error:
                print(f"galvo: {error}", file=sys.stderr)
                self.failed = True


def _text(name: str, run: Run) -> str:
    if name == "save":
        return store.encoded(run)
    from galvo_bench.reports.markdown import markdown
    from galvo_bench.reports.page import page

    return markdown(run) if name == "markdown" else page(run)
