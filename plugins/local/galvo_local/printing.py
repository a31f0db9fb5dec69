"""What others say is not to steer a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without what a terminal obeys, whoever the text is from; line breaks are gone as well."""
    return "".join(char if char.isprintable() else "?" for char in text)
