"""What a run shows while it goes on: on stderr, so that its results can be piped."""

from __future__ import annotations

import sys


class Progress:
    def begin(self, subject: str) -> None:
        sys.stderr.write(f"measuring {subject} ")
        sys.stderr.flush()

    def tick(self) -> None:
        """A round is over."""
        if sys.stderr.isatty():
            sys.stderr.write(".")
            sys.stderr.flush()

    def end(self) -> None:
        sys.stderr.write("\n")
