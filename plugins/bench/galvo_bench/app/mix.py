"""What people ask of the shop: seeded, so that every lane is asked the same in the same order."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from random import Random
from typing import Any
from urllib.parse import urlencode

import msgspec

from galvo_bench.load.loops import Request
from galvo_engraving.generate import zipf

MIX = {
    "template": 2200,
    "templates": 1400,
    "me": 100,
    "preview": 900,
    "material": 1200,
    "sheet": 1100,
    "materials": 700,
    "project": 1200,
    "projects": 600,
    "job": 300,
    "rename": 160,
    "part": 70,
    "queue": 68,
    "tune": 2,
}
"""Requests in ten thousand: 3 % write."""
SHARED = ("template", "templates", "preview", "material", "sheet", "materials")
"""The same for everybody: seen soon by any cache, while each customer's own are seen late."""
_REVISION = re.compile(rb'"revision": ?(\d+)|changed meanwhile, to (\d+)')


class Customer(msgspec.Struct, frozen=True):
    token: str
    projects: list[int]
    jobs: list[int]


class Drawing(msgspec.Struct, frozen=True):
    """A template that can be previewed, and lengths that people change: name, and the values that are tried."""

    template: int
    lengths: dict[str, list[float]]
    sheets: list[tuple[int, float]]
    """Of which it can be made: material, and thickness in mm."""


class World(msgspec.Struct, frozen=True):
    """What the clients know, the same for each copy of the database."""

    customers: list[Customer]
    staff: str
    """A token."""
    templates: int
    materials: int
    groups: list[str]
    families: list[str]
    sheets: list[tuple[int, float]]
    settings: list[int]
    drawings: list[Drawing]


class Mix:
    """`only`: requests of this kind alone. `drop`: kinds that are not asked for."""

    def __init__(self, world: World, seed: int, only: str = "", drop: tuple[str, ...] = ()) -> None:
        self._world = world
        self._random = Random(f"mix/{seed}")  # noqa: S311  # reproducible, not secret
        self._seed = seed
        self._number = 0
        self.revisions: dict[int, int] = {}
        """Of projects that were changed: what the next run on this database has to `know`."""
        self._owned = [(customer.token, project) for customer in world.customers for project in customer.projects]
        self._turn = seed * 7_919 % len(self._owned)
        shares = {kind: share for kind, share in MIX.items() if kind not in drop and only in ("", kind)}
        self._deck = [kind for kind, share in shares.items() for _ in range(share)]
        self._one = {kind: getattr(self, f"_{kind}") for kind in MIX}

    def next(self) -> Request:
        self._number += 1
        kind = self._deck[int(self._random.random() * len(self._deck))]
        made: Request = self._one[kind](kind)
        return made

    def know(self, revisions: Mapping[str | int, int]) -> None:
        self.revisions.update({int(project): revision for project, revision in revisions.items()})

    def learn(self, request: Request, body: bytes) -> None:
        """A project's revision, which the next change of it has to name."""
        if request.project and (found := _REVISION.search(body)):
            self.revisions[request.project] = int(found[1] or found[2])

    def _popular(self, count: int) -> int:
        """From 0; by Zipf's law, the popular ones scattered."""
        return zipf(self._random, count) * 7_919 % count

    def _template(self, kind: str) -> Request:
        return get(kind, f"templates/{self._popular(self._world.templates) + 1}")

    def _templates(self, kind: str) -> Request:
        groups = self._world.groups
        return get(kind, "templates?" + urlencode({"group": groups[zipf(self._random, len(groups)) - 1]}))

    def _preview(self, kind: str) -> Request:
        drawing = self._world.drawings[self._popular(len(self._world.drawings))]
        material, thickness = drawing.sheets[self._popular(len(drawing.sheets))]
        given: dict[str, Any] = {"material_id": material, "thickness_mm": thickness}
        if drawing.lengths and self._random.random() < 0.5:  # half of the people change something
            name = self._random.choice(sorted(drawing.lengths))
            given[name] = self._random.choice(drawing.lengths[name])
        return get(kind, f"templates/{drawing.template}/preview?" + urlencode(given))

    def _material(self, kind: str) -> Request:
        return get(kind, f"materials/{self._popular(self._world.materials) + 1}")

    def _materials(self, kind: str) -> Request:
        families = self._world.families
        return get(kind, "materials?" + urlencode({"family": families[zipf(self._random, len(families)) - 1]}))

    def _sheet(self, kind: str) -> Request:
        material, thickness = self._world.sheets[self._popular(len(self._world.sheets))]
        return get(kind, f"materials/{material}/settings?" + urlencode({"thickness_mm": thickness}))

    def _project(self, kind: str) -> Request:
        customer = self._customer()
        project = customer.projects[zipf(self._random, len(customer.projects)) - 1]
        return get(kind, f"projects/{project}", customer.token)

    def _projects(self, kind: str) -> Request:
        return get(kind, "projects", self._customer().token)

    def _me(self, kind: str) -> Request:
        return get(kind, "me", self._customer().token)

    def _job(self, kind: str) -> Request:
        customer = self._customer()
        job = customer.jobs[zipf(self._random, len(customer.jobs)) - 1]
        return get(kind, f"jobs/{job}", customer.token)

    def _rename(self, kind: str) -> Request:
        token, project = self._own()
        name = f"renamed {project} {self._seed} {self._number}"
        body = {"name": name, "revision": self.revisions.get(project, 1)}
        return sent(kind, "PATCH", f"projects/{project}", token, body, project)

    def _part(self, kind: str) -> Request:
        token, project = self._own()
        width, height = self._random.randint(20, 400), self._random.randint(15, 300)
        body = {"name": f"extra {self._number}", "operation": "cut", "quantity": self._random.randint(1, 4)}
        body |= {"width_mm": width, "height_mm": height, "path_mm": 2 * (width + height)}
        return sent(kind, "POST", f"projects/{project}/parts", token, body)

    def _queue(self, kind: str) -> Request:
        token, project = self._own()
        return sent(kind, "POST", f"projects/{project}/jobs", token, {"machine": self._random.choice("ABC")})

    def _tune(self, kind: str) -> Request:
        setting = self._random.choice(self._world.settings)
        return sent(
            kind, "PATCH", f"settings/{setting}", self._world.staff, {"power_pct": self._random.randint(10, 90)}
        )

    def _customer(self) -> Customer:
        return self._world.customers[self._popular(len(self._world.customers))]

    def _own(self) -> tuple[str, int]:
        """Each in turn: no two changes of one project are in flight at once."""
        self._turn = (self._turn + 1) % len(self._owned)
        return self._owned[self._turn]


def get(kind: str, path: str, token: str = "") -> Request:
    """Of the API."""
    return Request(kind, f"GET /api/{path} HTTP/1.1\r\nhost: shop\r\n{_signed(token)}\r\n".encode())


def sent(kind: str, method: str, path: str, token: str, value: object, project: int = 0) -> Request:
    """With a JSON body."""
    body = json.dumps(value).encode()
    head = f"{method} /api/{path} HTTP/1.1\r\nhost: shop\r\n{_signed(token)}content-type: application/json\r\n"
    return Request(kind, f"{head}content-length: {len(body)}\r\n\r\n".encode() + body, project)


def _signed(token: str) -> str:
    return f"authorization: Bearer {token}\r\n" if token else ""
