"""HTML whose texts are escaped by construction: what is not Markup is text."""

from __future__ import annotations

import re
from html import escape

VOID = frozenset({"meta", "link", "br"})
INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")
"""What HTML does not allow, not even as a reference."""

Attribute = str | int | float | bool | None


class Markup(str):
    """HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """An element. `class_` is `class`, `aria_label` is `aria-label`; None and False leave an attribute out."""
    found = "".join(_attribute(key, value) for key, value in attributes.items())
    start = f"<{name}{found}>"
    return Markup(start if name in VOID else f"{start}{joined(*children)}</{name}>")


def joined(*children: str) -> Markup:
    return Markup("".join(child if isinstance(child, Markup) else _text(child) for child in children))


def prose(said: str) -> list[str]:
    """What is between backticks as code."""
    parts = said.split("`")
    if len(parts) % 2 == 0:
        return [said]
    return [tag("code", part) if place % 2 else part for place, part in enumerate(parts)]


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{_text(str(value))}"'


def _text(value: str) -> str:
    return escape(INVALID.sub("\ufffd", value))
