"""Sets of indexes to compare: what an advisor chose, for which scale and budget, in how many seconds."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import msgspec

from galvo import GalvoError


class IndexSet(msgspec.Struct, frozen=True):
    name: str
    """Of the advisor, with how it was told to work when that matters."""
    indexes: tuple[str, ...]
    """Each as `table (columns)`, with whatever else CREATE INDEX takes after that."""
    scale: float = 0.0
    """Of the TPC-H that it was made for; 0: of any."""
    budget: int | None = None
    """MB that the advisor was told to keep to; None: no limit."""
    free: bool = False
    """It cannot be told a budget, so it is compared wherever its indexes fit."""
    seconds: float | None = None
    """That the advisor took."""


class _File(msgspec.Struct):
    sets: list[IndexSet]


def kept(path: Path | None = None) -> list[IndexSet]:
    """Those of a TOML file, or the peers' that come with this package. Raises GalvoError."""
    if path is None:
        peers = sorted(files(__package__).joinpath("peers").iterdir(), key=lambda file: file.name)
        return [one for file in peers for one in msgspec.toml.decode(file.read_bytes(), type=_File).sets]
    try:
        return msgspec.toml.decode(path.read_bytes(), type=_File).sets
    except (OSError, msgspec.MsgspecError) as error:
        raise GalvoError(f"cannot read the sets of indexes in {path}: {error}") from None


def select(sets: list[IndexSet], scale: float, budgets: list[int | None] | None) -> list[IndexSet]:
    """Those for `scale`, and of those that take a budget the ones with one of `budgets` (None: all)."""
    return [
        found
        for found in sets
        if found.scale in (0, scale) and (found.free or budgets is None or found.budget in budgets)
    ]


def plain(index: str) -> str:
    """The same text for the same index: no `public.`, one way of spacing."""
    return " ".join(index.replace("public.", "").replace("(", " (").replace(",", ", ").split()).replace("( ", "(")
