"""A series from its name: what `str(Series)` has written."""

from __future__ import annotations

import json
import re
from typing import Final, get_args

from galvo_monitor.series import Aggregate, Series

_NAME: Final = re.compile(r"(?P<metric>[^{ ]+)(?:\{(?P<labels>.*)\})? (?P<aggregate>[a-z0-9]+)", re.DOTALL)
_LABEL: Final = re.compile(r'(?P<name>[^="]+)=')
_STRING: Final = json.JSONDecoder(strict=False)


def parsed(text: str) -> Series | None:
    """None: it is no series' name."""
    found = _NAME.fullmatch(text)
    if found is None or found["aggregate"] not in get_args(Aggregate):
        return None
    attributes: list[tuple[str, str]] = []
    rest = found["labels"] or ""
    while rest:
        label = _LABEL.match(rest)
        if label is None:
            return None
        try:
            value, end = _STRING.raw_decode(rest, label.end())
        except ValueError:
            return None
        if not isinstance(value, str):
            return None
        attributes.append((label["name"], value))
        rest = rest[end:]
        if rest:
            if not rest.startswith(", ") or rest == ", ":
                return None
            rest = rest[2:]
    aggregate: Aggregate = found["aggregate"]  # type: ignore[assignment]  # one of them, see above
    return Series(found["metric"], aggregate, tuple(attributes))
