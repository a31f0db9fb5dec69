"""Puts a catalogue's templates on the shelf: all of them, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from galvo_engraving.database import Database
from galvo_engraving.files.catalogue import Template, read
from galvo_engraving.files.models import CatalogueImported, Mode
from galvo_engraving.files.names import same_name
from galvo_engraving.problems import Conflict

# Locked, so that what another client writes meanwhile is either there before this or comes after it.
KNOWN = "select id, slug, name from engraving.box_template where slug = any($1) order by id for update"
ROWS = """jsonb_to_recordset($1::text::jsonb) as t (
    slug text, name text, template_group text, difficulty smallint, minutes smallint, summary text)"""
ADD = f"""
insert into engraving.box_template (slug, name, template_group, difficulty, minutes, summary)
select slug, name, template_group, difficulty, minutes, summary from {ROWS}"""  # noqa: S608
CHANGE = f"""
update engraving.box_template b set name = t.name, template_group = t.template_group, difficulty = t.difficulty,
    minutes = t.minutes, summary = t.summary
from {ROWS} where b.slug = t.slug"""  # noqa: S608
FORGET = "delete from engraving.box_parameter where template_id = any($1)"
PARAMETERS = """
insert into engraving.box_parameter (template_id, position, section, name, kind, unit, default_value, minimum, maximum,
    choices, description)
select t.id, position, section, p.name, kind, unit, default_value, minimum, maximum,
    array(select jsonb_array_elements_text(choices)), description
from jsonb_to_recordset($1::text::jsonb) as p (
    template text, position smallint, section text, name text, kind text, unit text, default_value text,
    minimum real, maximum real, choices jsonb, description text)
join engraving.box_template t on t.slug = p.template"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A catalogue as rows, by slug."""

    templates: dict[str, dict[str, Any]]
    named: frozenset[str]
    """Slugs that were given, not made of a name."""
    parameters: str
    """JSON."""
    asked: int
    """Parameters."""


def prepared(contents: bytes) -> Prepared:
    """Raises RequestValidationError."""
    catalogue = read(contents)
    templates = {template.its_slug: template for template in catalogue.templates}
    parameters = [row for its_slug, template in templates.items() for row in _parameters(its_slug, template)]
    return Prepared(
        templates={its_slug: _row(its_slug, template) for its_slug, template in templates.items()},
        named=frozenset(its_slug for its_slug, template in templates.items() if template.slug),
        parameters=_json(parameters),
        asked=len(parameters),
    )


async def shelve(db: Database, catalogue: Prepared, mode: Mode) -> CatalogueImported:
    """Raises Conflict; then nothing was changed."""
    templates = catalogue.templates
    try:
        async with db.transaction() as tx:
            known = {row["slug"]: row for row in await tx.fetch(KNOWN, list(templates))}
            for its_slug, row in known.items():
                if its_slug not in catalogue.named:
                    _surely(templates[its_slug]["name"], row)
            if known and mode == "add":
                raise Conflict(f"template {next(iter(known))} is there already: mode=merge replaces it")
            if known:
                await tx.execute(CHANGE, _json([templates[its_slug] for its_slug in known]))
                await tx.execute(FORGET, [row["id"] for row in known.values()])
            new = [its_slug for its_slug in templates if its_slug not in known]
            if new:
                await tx.execute(ADD, _json([templates[its_slug] for its_slug in new]))
            if catalogue.asked:
                await tx.execute(PARAMETERS, catalogue.parameters)
    except asyncpg.UniqueViolationError:
        raise Conflict("somebody else has added one of its templates at the same time: import it again") from None
    return CatalogueImported(added=new, changed=list(known), parameters=catalogue.asked)


def _surely(name: str, row: Any) -> None:
    """ "Box C" and "Box C++" have one slug: it counts only where it was given. Raises Conflict."""
    if same_name(name) != same_name(row["name"]):
        raise Conflict(
            f"template {name!r}: the slug made of it is that of {row['name']!r}: "
            f"give it another one, or slug {row['slug']} to replace that"
        )


def _row(its_slug: str, template: Template) -> dict[str, Any]:
    return {
        "slug": its_slug,
        "name": template.name,
        "template_group": template.template_group,
        "difficulty": template.difficulty,
        "minutes": template.minutes,
        "summary": template.summary,
    }


def _parameters(its_slug: str, template: Template) -> list[dict[str, Any]]:
    return [
        {
            **one.model_dump(exclude={"unit"}),
            "template": its_slug,
            "position": position,
            "unit": one.its_unit,
        }
        for position, one in enumerate(template.parameters, 1)
    ]


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
