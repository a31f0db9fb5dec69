"""Text for a log and a terminal, whoever it is from."""

from __future__ import annotations


def printable(text: str) -> str:
    """Nothing that a terminal obeys; spaces stay as they are."""
    return "".join(one if one.isprintable() else "?" for one in text)


def one_line(text: str) -> str:
    """The same with its white space, line breaks among it, as single spaces."""
    return printable(" ".join(text.split()))
