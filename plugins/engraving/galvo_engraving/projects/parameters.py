"""What a template asks for, and what a project answers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from galvo_engraving.boxes.values import Value, default, effective, value_of
from galvo_engraving.database import Database, Queries
from galvo_engraving.problems import Unfit

PARAMETERS = """
select position, section, name, kind, unit, minimum::numeric::float8 as minimum, maximum::numeric::float8 as maximum,
       choices, description, default_value
from engraving.box_parameter where template_id = $1 order by position"""

Asked = list[tuple[dict[str, Any], bytes, bytes]]
"""Of each parameter its row, its JSON up to the value, and the default as JSON."""
_encode = msgspec.json.Encoder().encode


async def asked_by(db: Database, template: int) -> Asked:
    """The parameters of a template; all of its projects share them."""

    async def load() -> Asked:
        rows = [dict(row) for row in await db.fetch(PARAMETERS, template)]
        return [(row, _encode(row)[:-1] + b',"value":', _encode(usual(row))) for row in rows]

    return await db.cached(f"asked:{template}", load, depends_on=["engraving.box_parameter"])


def shown(asked: Asked, stored: Mapping[str, Any]) -> msgspec.Raw:
    """All parameters with their values, as JSON."""
    found = (
        start + (_encode(_fitting(row, stored[row["name"]])) if row["name"] in stored else default) + b"}"
        for row, start, default in asked
    )
    return msgspec.Raw(b"[" + b",".join(found) + b"]")


async def different(db: Queries, template: int, given: Mapping[str, Any]) -> dict[str, Value]:
    """Of what is given only what differs from the template. Raises Unfit."""
    parameters = await db.fetch(PARAMETERS, template)
    chosen = effective(parameters, given)
    return {one["name"]: chosen[one["name"]] for one in parameters if chosen[one["name"]] != usual(one)}


def usual(parameter: Mapping[str, Any]) -> Value:
    """The default, even if it is not what the template itself allows."""
    with suppress(Unfit):
        return default(parameter)
    return str(parameter["default_value"])


def _fitting(parameter: Mapping[str, Any], stored: Any) -> Value:
    """What was stored before the template was changed, and does not fit any more, is the default again."""
    with suppress(Unfit):
        return value_of(parameter, stored)
    return usual(parameter)
