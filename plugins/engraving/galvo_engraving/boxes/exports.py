"""A project's panels for a laser, drawn once as long as what they are made from stays as it is."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from galvo_engraving.boxes import store
from galvo_engraving.boxes.measuring import measured
from galvo_engraving.boxes.sheet import sheets_svg
from galvo_engraving.boxes.turns import drawn
from galvo_engraving.database import Database


async def project_svg(
    db: Database,
    *,
    template: int,
    material: int,
    machine: int,
    thickness: float,
    stored: Mapping[str, Any],
    name: str | None = None,
) -> bytes:
    """Of a project's row: `thickness` in mm, `stored` its parameters, `name` what is engraved (None: the template's).

    The kerf is that of the machine's cut setting for the material. Values that the template does not allow any more
    are its defaults. Raises Unfit, Unknown, Busy.
    """

    async def load() -> bytes:
        cut = await store.read(db, template, stored, material, machine, thickness, lenient=True)
        assert cut.bed is not None  # noqa: S101  # a machine was given
        return await drawn(sheets_svg, cut.slug, cut.values, title=name or cut.name, bed=cut.bed)

    key = _key(material, machine, thickness, name, stored)
    return await db.cached(f"sheets:{template}:{key}", load, depends_on=store.TABLES)


async def project_lengths(
    db: Database,
    *,
    template: int,
    material: int,
    machine: int,
    thickness: float,
    stored: Mapping[str, Any],
    name: str | None = None,
) -> list[dict[str, Any]]:
    """What `measured` finds on the same panels. Raises Unfit, Unknown, Busy."""

    async def load() -> list[dict[str, Any]]:
        cut = await store.read(db, template, stored, material, machine, thickness, lenient=True)
        return await drawn(measured, cut.slug, cut.values, title=name or cut.name)

    key = _key(material, machine, thickness, name, stored)
    return await db.cached(f"lengths:{template}:{key}", load, depends_on=store.TABLES)


def _key(material: int, machine: int, thickness: float, name: str | None, stored: Mapping[str, Any]) -> str:
    asked = [material, machine, float(thickness), name, sorted(stored.items())]
    return blake2b(msgspec.json.encode(asked), digest_size=16).hexdigest()
