"""Puts a catalogue's templates on the shelf: all of them, or none."""

from __future__ import annotations

import json
from typing import Any

import asyncpg

from galvo_engraving.database import Database
from galvo_engraving.files.catalogue import Catalogue, Template
from galvo_engraving.files.models import CatalogueImported, Mode
from galvo_engraving.files.names import same_name
from galvo_engraving.problems import Conflict

# Locked, so that what another client writes meanwhile is either there before this or comes after it.
KNOWN = "select id, slug, name from engraving.box_template where slug = any($1) order by id for update"
ROWS = """jsonb_to_recordset($1::text::jsonb) as t (
    id integer, slug text, name text, template_group text, difficulty smallint, minutes smallint, summary text)"""
ADD = f"""
insert into engraving.box_template (slug, name, template_group, difficulty, minutes, summary)
select slug, name, template_group, difficulty, minutes, summary from {ROWS} returning id, slug"""  # noqa: S608
CHANGE = f"""
update engraving.box_template b set name = t.name, template_group = t.template_group, difficulty = t.difficulty,
    minutes = t.minutes, summary = t.summary
from {ROWS} where b.id = t.id"""  # noqa: S608
FORGET = "delete from engraving.box_parameter where template_id = any($1)"
PARAMETERS = """
insert into engraving.box_parameter (template_id, position, section, name, kind, unit, default_value, minimum, maximum,
    choices, description)
select template_id, position, section, name, kind, unit, default_value, minimum, maximum,
    array(select jsonb_array_elements_text(choices)), description
from jsonb_to_recordset($1::text::jsonb) as p (
    template_id integer, position smallint, section text, name text, kind text, unit text, default_value text,
    minimum real, maximum real, choices jsonb, description text)"""


async def shelve(db: Database, catalogue: Catalogue, mode: Mode) -> CatalogueImported:
    """Raises Conflict; then nothing was changed."""
    by_slug = {template.its_slug: template for template in catalogue.templates}
    try:
        async with db.transaction() as tx:
            rows = await tx.fetch(KNOWN, list(by_slug))
            for row in rows:
                _surely(by_slug[row["slug"]], row)
            known = {row["slug"]: row["id"] for row in rows}
            if known and mode == "add":
                raise Conflict(f"template {next(iter(known))} is there already: mode=merge replaces it")
            ids = dict(known)
            if new := [_row(template) for its_slug, template in by_slug.items() if its_slug not in known]:
                ids |= {row["slug"]: row["id"] for row in await tx.fetch(ADD, json.dumps(new))}
            if known:
                changed = [_row(by_slug[its_slug]) | {"id": id_} for its_slug, id_ in known.items()]
                await tx.execute(CHANGE, json.dumps(changed))
                await tx.execute(FORGET, list(known.values()))
            asked = [row for its_slug, template in by_slug.items() for row in _parameters(ids[its_slug], template)]
            if asked:
                await tx.execute(PARAMETERS, json.dumps(asked))
    except asyncpg.UniqueViolationError:
        raise Conflict("somebody else has added one of its templates at the same time: import it again") from None
    return CatalogueImported(
        added=[its_slug for its_slug in by_slug if its_slug not in known], changed=list(known), parameters=len(asked)
    )


def _surely(template: Template, row: Any) -> None:
    """ "Box C" and "Box C++" have one slug: it counts only where it was given. Raises Conflict."""
    if template.slug is None and same_name(template.name) != same_name(row["name"]):
        raise Conflict(
            f"template {template.name!r}: the slug made of it is that of {row['name']!r}: "
            f"give it another one, or slug {row['slug']} to replace that"
        )


def _row(template: Template) -> dict[str, Any]:
    return {
        "slug": template.its_slug,
        "name": template.name,
        "template_group": template.template_group,
        "difficulty": template.difficulty,
        "minutes": template.minutes,
        "summary": template.summary,
    }


def _parameters(template_id: int, template: Template) -> list[dict[str, Any]]:
    return [
        {
            **one.model_dump(exclude={"unit"}),
            "template_id": template_id,
            "position": position,
            "unit": one.its_unit,
        }
        for position, one in enumerate(template.parameters, 1)
    ]
