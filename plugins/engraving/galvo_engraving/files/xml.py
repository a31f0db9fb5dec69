"""Strangers' XML: no DTD, no entities, of bounded depth and size, an element at a time."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from galvo_engraving.files.library import BadFile

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # only its type: it parses nothing here

DEPTH = 12
ELEMENTS = 400_000
TEXT = 200
"""Characters of an attribute that is read."""


def elements(contents: bytes) -> Iterator[tuple[str, Element]]:
    """Starts and ends of elements, in the file's order. Raises BadFile."""
    depth = count = 0
    try:
        for event, element in iterparse(BytesIO(contents), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                depth += 1
                count += 1
                if depth > DEPTH:
                    raise BadFile(f"elements are nested more than {DEPTH} deep: this is no library of LightBurn's")
                if count > ELEMENTS:
                    raise BadFile(f"more than {ELEMENTS} elements: divide the library")
            else:
                depth -= 1
            yield event, element
    except DefusedXmlException:
        raise BadFile("it has a DTD or entities, which no library of LightBurn's has: remove them") from None
    except ParseError as error:
        line, column = error.position
        what = str(error).partition(":")[0]
        raise BadFile(f"line {line}, column {column + 1}: this is no XML: {what}") from None
    except (LookupError, ValueError):
        raise BadFile("its encoding is not known: save it as UTF-8") from None


def text(element: Element, name: str) -> str:
    """An attribute's words, "" without it. Raises BadFile."""
    words = " ".join(element.get(name, "").split())
    if len(words) > TEXT:
        raise BadFile(f"{element.tag}: {name} has more than {TEXT} characters")
    if not words.isprintable():
        raise BadFile(f"{element.tag}: {name} has characters that cannot be shown")
    return words
