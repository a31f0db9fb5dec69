"""A project's page: what six tables and three more know of it.

One statement an aspect, so that a cache keeps what an edit leaves as it was: a new part reads the parts again, another
job the jobs, and every project of a template shares what the template asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from galvo_engraving.accounts.tokens import Visitor
from galvo_engraving.bodies import tag
from galvo_engraving.database import Database
from galvo_engraving.materials.cutting import nearest
from galvo_engraving.projects.owning import owned
from galvo_engraving.projects.parameters import Asked, asked_by, shown

# A row for each thickness of which it is known how to cut the material. Reals are cast to what they were given as.
HEAD = """
select p.id, p.name, p.status, p.revision, p.parameters, p.thickness_mm::float8 as sheet_mm,
       p.created_at, p.updated_at, p.user_id, u.name as user_name, u.studio,
       p.template_id, t.name as template_name, t.minutes,
       p.material_id, m.name as material_name, m.family,
       p.machine_id, d.name as machine_name,
       d.bed_width_mm::numeric::float8 as bed_width_mm, d.bed_height_mm::numeric::float8 as bed_height_mm,
       s.id as setting_id, s.thickness_mm::float8 as thickness_mm, s.speed_mm_s::numeric::float8 as speed_mm_s,
       s.power_pct::numeric::float8 as power_pct, s.passes, s.kerf_mm::numeric::float8 as kerf_mm, s.air_assist
from engraving.project p
join engraving.user_account u on u.id = p.user_id
join engraving.box_template t on t.id = p.template_id
join engraving.material m on m.id = p.material_id
join engraving.machine d on d.id = p.machine_id
left join engraving.laser_setting s
    on s.material_id = p.material_id and s.machine_id = p.machine_id and s.operation = 'cut'
where p.id = $1 order by s.thickness_mm nulls last"""

PARTS = """
select id, name, operation, quantity, width_mm::numeric::float8 as width_mm, height_mm::numeric::float8 as height_mm,
       path_mm::numeric::float8 as path_mm
from engraving.project_part where project_id = $1 order by id"""

JOBS = """
select id, machine, status, seconds::numeric::float8 as seconds, queued_at, finished_at
from engraving.job where project_id = $1 order by queued_at desc, id desc limit 20"""

CUT = ("thickness_mm", "speed_mm_s", "power_pct", "passes", "kerf_mm", "air_assist")
MOST = 500
_encode = msgspec.json.Encoder().encode
_encoded: dict[int, tuple[Any, bytes, str]] = {}
"""Of `MOST` projects what the page was made of, and it: to compare rows is cheaper than to encode them."""


async def page(db: Database, who: Visitor, project: int) -> tuple[bytes, str]:
    """As models.Project, in JSON, and its ETag. Raises Unknown."""
    rows = await db.fetch(HEAD, project)
    head = owned(rows[0] if rows else None, who)
    parts = await db.fetch(PARTS, project)
    jobs = await db.fetch(JOBS, project)
    asked = await asked_by(db, head["template_id"])
    seen = (rows, parts, jobs, asked)
    known = _encoded.get(project)
    if known is not None and known[0] == seen:
        return known[1:]
    body = _encode(_page(dict(head.items()), rows, parts, jobs, asked))
    if len(_encoded) >= MOST:
        del _encoded[next(iter(_encoded))]
    _encoded[project] = (seen, body, tag(body))
    return _encoded[project][1:]


def _page(head: Any, rows: Sequence[Any], parts: Sequence[Any], jobs: Sequence[Any], asked: Asked) -> dict[str, Any]:
    stored = msgspec.json.decode(head["parameters"])
    cut = nearest((row for row in rows if row["setting_id"] is not None), head["sheet_mm"])
    return {
        "id": head["id"],
        "name": head["name"],
        "status": head["status"],
        "revision": head["revision"],
        "thickness_mm": head["sheet_mm"],
        "created_at": head["created_at"],
        "updated_at": head["updated_at"],
        "user": {"name": head["user_name"], "studio": head["studio"]},
        "template": {"id": head["template_id"], "name": head["template_name"], "minutes": head["minutes"]},
        "parameters": shown(asked, stored),
        "material": {"id": head["material_id"], "name": head["material_name"], "family": head["family"]},
        "machine": {
            "id": head["machine_id"],
            "name": head["machine_name"],
            "bed_width_mm": head["bed_width_mm"],
            "bed_height_mm": head["bed_height_mm"],
        },
        "cut": cut and {"id": cut["setting_id"], **{name: cut[name] for name in CUT}},
        "cutting_seconds": cut and _cutting_seconds(parts, cut),
        "parts": [dict(part.items()) for part in parts],
        "jobs": [dict(job.items()) for job in jobs],
    }


def _cutting_seconds(parts: Sequence[Any], cut: Any) -> float:
    path = sum(part["path_mm"] * part["quantity"] for part in parts if part["operation"] == "cut")
    return round(float(path / cut["speed_mm_s"] * cut["passes"]), 1)
