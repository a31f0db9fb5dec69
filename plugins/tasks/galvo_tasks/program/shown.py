"""What a command says, at 80 columns."""

from __future__ import annotations

import os
from textwrap import wrap

from galvo_local import printable

WIDTH = 80


def wrapped(text: str, first: str = "") -> list[str]:
    """Lines of `text`; `first` stands before the first one, and the others are indented as far."""
    return wrap(
        printable(text),
        WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
        break_long_words=False,
    )


def say(text: str) -> None:
    """To stderr, at once; a signal handler may, since whatever is being written to a buffer is left alone."""
    os.write(2, f"galvo: {printable(text)}\n".encode())
