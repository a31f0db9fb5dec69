"""The reads that saved most, in a local file from which the next process begins.

The file holds statements that will be run, and arguments: it is for its owner's eyes, and believed only if nobody else
can have written it. Whatever is wrong with it, the cache starts cold.
"""

from __future__ import annotations

import datetime as dt
import os
import stat
import tempfile
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from galvo_cache.favourites import Favourite

VERSION = 1
MAX_BYTES = 2**20
DEEP = 16
"""Levels of lists in an argument, as in a key."""


class Ignored(Exception):
    """The file is not used; the text says why."""


class Foreign(Ignored):
    """Somebody else can have written it, so it is not ours to replace either."""


class Item(msgspec.Struct, array_like=True):
    sql: str
    limit: Literal[0, 1]
    saved: Annotated[float, Meta(ge=0, le=1e9)]
    args: list[tuple[str, Any]]


class File(msgspec.Struct):
    version: int
    items: list[Item]


PLAIN: dict[str, type] = {"NoneType": type(None), "bool": bool, "int": int, "float": float, "str": str, "bytes": bytes}
"""msgpack tells these apart by itself."""
TEXTS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    "Decimal": (str, Decimal),
    "UUID": (str, uuid.UUID),
    "date": (dt.date.isoformat, dt.date.fromisoformat),
    "datetime": (dt.datetime.isoformat, dt.datetime.fromisoformat),
    "time": (dt.time.isoformat, dt.time.fromisoformat),
    "timedelta": (lambda value: str(value // dt.timedelta(microseconds=1)), lambda text: _microseconds(int(text))),
}
"""The others are written as text, under the name of their type."""
FAULTS = (msgspec.MsgspecError, ValueError, TypeError, ArithmeticError, RecursionError)
"""What garbage raises, and what cannot be written."""


def load(path: Path) -> list[Favourite]:
    """What `save` wrote; nothing if there is no file. Raises Ignored."""
    try:
        data = _read(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise Ignored(error.strerror or type(error).__name__) from None
    try:
        file = msgspec.msgpack.decode(data, type=File)
        if file.version != VERSION:
            raise Ignored(f"it has version {file.version}, and this is {VERSION}")
        return [Favourite(item.sql, tuple(map(_restored, item.args)), item.limit, item.saved) for item in file.items]
    except FAULTS:
        raise Ignored("it holds something else than galvo-cache writes") from None


def _read(path: Path) -> bytes:
    # Neither a link to be followed nor a pipe to be waited for; what is looked at is what is read.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise Ignored("it is no regular file")
        if found.st_uid != os.geteuid():
            raise Foreign("it belongs to another user")
        if found.st_mode & 0o022:
            raise Foreign("others than its owner may write it (chmod 600)")
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Ignored(f"it has more than {MAX_BYTES} bytes")
    return data


def save(path: Path, favourites: Iterable[Favourite]) -> None:
    """Replace the file, in one step, by what of `favourites` can be carried. Raises OSError."""
    items: list[Item] = []
    room = MAX_BYTES - 1000
    for one in favourites:
        try:
            item = Item(one.sql, one.limit, one.saved, [_carried(value) for value in one.args])
            room -= len(msgspec.msgpack.encode(item))
        except FAULTS:
            continue
        if room < 0:
            break
        items.append(item)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # with mode 0600
    try:
        with open(number, "wb") as file:
            file.write(msgspec.msgpack.encode(File(VERSION, items)))
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _carried(value: Any, depth: int = 0) -> tuple[str, Any]:
    """The name of its type and something that msgpack can carry. Raises TypeError."""
    kind = type(value)
    if kind in PLAIN.values():
        return kind.__name__, value
    if kind in (list, tuple) and depth < DEEP:
        return kind.__name__, [_carried(part, depth + 1) for part in value]
    name = "UUID" if isinstance(value, uuid.UUID) else kind.__name__
    if name not in TEXTS or getattr(value, "fold", False):
        raise TypeError(name)
    return name, TEXTS[name][0](value)


def _restored(pair: Any, depth: int = 0) -> Any:
    """Raises TypeError, ValueError or ArithmeticError for what `_carried` did not make."""
    name, value = pair
    if name in PLAIN and type(value) is PLAIN[name]:
        return value
    if name in ("list", "tuple") and type(value) is list and depth < DEEP:
        parts = [_restored(part, depth + 1) for part in value]
        return parts if name == "list" else tuple(parts)
    if name in TEXTS and type(value) is str:
        return TEXTS[name][1](value)
    raise TypeError(name)


def _microseconds(number: int) -> dt.timedelta:
    return dt.timedelta(microseconds=number)
