"""Who asks, as a comment in the statement: https://google.github.io/sqlcommenter/spec/."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from urllib.parse import quote

LONGEST = 256
"""Characters of a value; PostgreSQL shows 1,024 bytes of a statement (`track_activity_query_size`)."""
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-([0-9a-f]{2})")

_current: ContextVar[Mapping[str, str]] = ContextVar("galvo_tagger", default=MappingProxyType({}))


@contextmanager
def tagged(**tags: str) -> Iterator[None]:
    """Queries inside carry these tags, `route="/jobs/{id}"`, and those of the blocks round it. Raises TypeError."""
    for key, value in tags.items():
        if not isinstance(value, str):  # here is the caller; later it would be a fault of the plugin
            raise TypeError(f"tag {key} is expected to be a str, got {type(value).__name__}")
    token = _current.set({**_current.get(), **tags})
    try:
        yield
    finally:
        _current.reset(token)


def current() -> Mapping[str, str]:
    """The tags of this task, here and now."""
    return _current.get()


def comment(tags: Mapping[str, str]) -> str:
    """`/*key='value',...*/` in the order of the keys; "" without tags.

    Everything but letters, digits and `_.-~` is percent-encoded: nothing can end the comment or the quotes.
    """
    pairs = sorted((_quoted(key), _quoted(value[:LONGEST])) for key, value in tags.items() if value)
    text = ",".join(f"{key}='{value}'" for key, value in pairs)
    return f"/*{text}*/" if text else ""


def _quoted(text: str) -> str:
    """Headers may hold what is no Unicode."""
    return quote(text, safe="", errors="replace")


def sampled(traceparent: str) -> bool:
    """Whether somebody records this trace: the lowest bit of the flags (W3C Trace Context, 3.2.2.5)."""
    found = TRACEPARENT.fullmatch(traceparent)
    return found is not None and bool(int(found[1], 16) & 1)
