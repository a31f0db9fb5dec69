"""Rows for a shop of any size, the same ones for the same scale and seed on every machine.

Every table has its own random stream, so a change to one leaves the others as they were.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, ClassVar

from galvo_engraving import catalogue

OPENED = datetime(2025, 1, 6, 8, tzinfo=UTC)
"""The shop's first day: fixed, because a clock would make every load different."""
MINUTES_OPEN = 500 * 24 * 60
MACHINES = ("borealis", "cinder", "dovetail", "ember", "filament", "gantry")
SUPPLIERS = ("Nordhof", "Kesselring", "Aubrac", "Tamar Mills", "Lindqvist", "Oriol", "Brenner", "Saltmarsh")
ADJECTIVES = ("small", "large", "second", "painted", "plain", "engraved", "gift", "trial", "heavy", "narrow")
STUDIOS = ("Workshop", "Makers", "Studio", "Laserworks", "School", "Atelier")
FIRST = ("Ada", "Bruno", "Chiara", "Deniz", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kaya", "Lior")
LAST = (
    "Amsel",
    "Birke",
    "Castell",
    "Dorn",
    "Eschen",
    "Falke",
    "Ginster",
    "Hasel",
    "Iltis",
    "Kranich",
    "Linde",
)
PARTS = ("front", "back", "left", "right", "bottom", "lid", "divider", "drawer front", "inlay", "foot")

Record = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows per table that grow with the scale, and `variants` of everything in the catalogue."""

    users: int
    projects: int
    parts: int
    jobs: int
    variants: int

    @classmethod
    def of(cls, scale: float) -> Sizes:
        def rows(at_one: int) -> int:
            return max(20, round(at_one * scale))

        variants = max(1, min(20, round(4 * scale**0.5)))
        return cls(rows(2_000), rows(20_000), rows(40_000), rows(30_000), variants)


class Generator:
    """`columns` and `records` of every table; ids count from 1 in the order of the records."""

    columns: ClassVar[dict[str, tuple[str, ...]]] = {
        "user_account": ("id", "email", "name", "studio", "created_at"),
        "material": ("id", "slug", "name", "family", "supplier", "density", "note"),
        "laser_setting": (
            *("id", "material_id", "thickness_mm", "operation", "speed_mm_s", "power_pct"),
            *("passes", "interval_mm", "kerf_mm", "air_assist", "updated_at"),
        ),
        "box_template": ("id", "slug", "name", "template_group", "difficulty", "minutes", "summary"),
        "box_parameter": (
            *("template_id", "position", "section", "name", "kind", "unit"),
            *("default_value", "minimum", "maximum", "choices", "description"),
        ),
        "project": (
            *("id", "user_id", "template_id", "material_id", "thickness_mm"),
            *("name", "status", "parameters", "created_at", "updated_at"),
        ),
        "project_part": (
            "id",
            "project_id",
            "name",
            "operation",
            "quantity",
            "width_mm",
            "height_mm",
            "path_mm",
        ),
        "job": ("id", "project_id", "machine", "status", "seconds", "queued_at", "finished_at"),
    }

    def __init__(self, scale: float, seed: int) -> None:
        self.seed = seed
        self.sizes = Sizes.of(scale)
        variants = range(self.sizes.variants)
        self._materials = [(variant, material) for variant in variants for material in catalogue.materials()]
        self._templates = [(variant, template) for variant in variants for template in catalogue.templates()]
        self._sheets: list[list[Decimal]] = [
            list(dict.fromkeys(setting.thickness for setting in material.settings)) for _, material in self._materials
        ]

    def counts(self) -> dict[str, int]:
        """Rows of each table, known before any is made."""
        sizes = self.sizes
        return {
            "user_account": sizes.users,
            "material": len(self._materials),
            "laser_setting": sum(len(material.settings) for _, material in self._materials),
            "box_template": len(self._templates),
            "box_parameter": sum(len(template.parameters) for _, template in self._templates),
            "project": sizes.projects,
            "project_part": sizes.parts,
            "job": sizes.jobs,
        }

    def records(self, table: str) -> Iterator[Record]:
        random = Random(f"{self.seed}/{table}")  # noqa: S311  # reproducible, not secret
        rows: Iterator[Record] = getattr(self, f"_{table}")(random)
        return rows

    def _user_account(self, random: Random) -> Iterator[Record]:
        for number in range(1, self.sizes.users + 1):
            first, last = random.choice(FIRST), random.choice(LAST)
            studio = f"{last} {random.choice(STUDIOS)}"
            yield (
                number,
                f"{first}.{last}.{number}@example.com".lower(),
                f"{first} {last}",
                studio,
                _moment(random),
            )

    def _material(self, random: Random) -> Iterator[Record]:
        for number, (variant, material) in enumerate(self._materials, 1):
            supplier = SUPPLIERS[variant % len(SUPPLIERS)]
            slug, name = (
                (f"{material.slug}-{variant + 1}", f"{material.name}, {supplier}")
                if variant
                else (material.slug, material.name)
            )
            density = round(material.density * random.uniform(0.97, 1.03), 3) if variant else material.density
            yield number, slug, name, material.family, supplier, density, material.note

    def _laser_setting(self, random: Random) -> Iterator[Record]:
        number = 0
        for material_id, (variant, material) in enumerate(self._materials, 1):
            # One factor for the whole material, so that thicker sheets of it still cut slower.
            factor = random.uniform(0.92, 1.08) if variant else 1.0
            for setting in material.settings:
                number += 1
                yield (
                    *(number, material_id, setting.thickness, setting.operation),
                    *(round(setting.speed * factor, 1), setting.power, setting.passes),
                    *(setting.interval, setting.kerf, setting.air, OPENED),
                )

    def _box_template(self, random: Random) -> Iterator[Record]:
        for number, (variant, template) in enumerate(self._templates, 1):
            slug, name = template.slug, template.name
            if variant:
                slug, name = f"{slug}-{variant + 1}", f"{name} no. {variant + 1}"
            minutes = max(3, round(template.minutes * random.uniform(0.8, 1.3))) if variant else template.minutes
            yield number, slug, name, template.group, template.difficulty, minutes, template.summary

    def _box_parameter(self, _random: Random) -> Iterator[Record]:
        for template_id, (_variant, template) in enumerate(self._templates, 1):
            for position, parameter in enumerate(template.parameters, 1):
                yield (
                    *(
                        template_id,
                        position,
                        parameter.section,
                        parameter.name,
                        parameter.kind,
                        parameter.unit,
                    ),
                    *(parameter.default, parameter.minimum, parameter.maximum),
                    *(list(parameter.choices), parameter.description),
                )

    def _project(self, random: Random) -> Iterator[Record]:
        for number in range(1, self.sizes.projects + 1):
            template_id = zipf(random, len(self._templates))
            material_id = zipf(random, len(self._materials))
            template = self._templates[template_id - 1][1]
            chosen = random.sample(template.parameters, 2)
            created = _moment(random)
            yield (
                *(number, random.randint(1, self.sizes.users), template_id, material_id),
                random.choice(self._sheets[material_id - 1]),
                f"{random.choice(ADJECTIVES)} {template.name.lower()} {number}",
                random.choice(("draft", "draft", "ready", "ordered", "done")),
                json.dumps({parameter.name: parameter.default for parameter in chosen}),
                *(created, created + timedelta(minutes=random.randrange(40_000))),
            )

    def _project_part(self, random: Random) -> Iterator[Record]:
        for number in range(1, self.sizes.parts + 1):
            width, height = random.randint(20, 400), random.randint(15, 300)
            yield (
                # Every project gets its share before any gets more than the others.
                *(number, (number - 1) % self.sizes.projects + 1, random.choice(PARTS)),
                *(random.choice(catalogue.OPERATIONS), random.randint(1, 4), float(width), float(height)),
                round(2 * (width + height) * random.uniform(1.0, 2.5), 1),
            )

    def _job(self, random: Random) -> Iterator[Record]:
        for number in range(1, self.sizes.jobs + 1):
            status = random.choice(("queued", "running", "done", "done", "done", "failed"))
            queued = _moment(random)
            seconds = round(random.uniform(60, 4_000), 1) if status == "done" else None
            finished = queued + timedelta(hours=random.randint(1, 48)) if seconds else None
            project = random.randint(1, self.sizes.projects)
            yield number, project, random.choice(MACHINES), status, seconds, queued, finished


def zipf(random: Random, count: int) -> int:
    """A rank from 1 to `count`, each about as likely as 1/rank.

    Log-uniform and rounded rather than exact: one power instead of a table per length, 8 % too often at
    the first rank and within 2 % at all others.
    """
    return min(count, int(0.5 * (2 * count + 1) ** random.random() + 0.5))


def _moment(random: Random) -> datetime:
    return OPENED + timedelta(minutes=random.randrange(MINUTES_OPEN))
