"""What an import did."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

Mode = Literal["merge", "add"]


class Done(BaseModel):
    """With one setting of the file."""

    material: str
    thickness_mm: float | None
    operation: str
    """Of what has none here: its type in the file."""
    title: str
    done: Literal["added", "changed", "left"]
    why: str


class LibraryImported(BaseModel):
    library: str
    machine_id: int
    materials_added: list[str]
    materials_known: int
    added: int
    changed: int
    same: int
    left: int
    told: list[Done]
    """The first of what was changed or left, and why."""


class CatalogueImported(BaseModel):
    added: list[str]
    changed: list[str]
    """Slugs."""
    parameters: int
