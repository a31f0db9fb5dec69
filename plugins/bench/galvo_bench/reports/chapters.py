"""A run's sections by group, with the names by which they are linked."""

from __future__ import annotations

import re

import msgspec

from galvo_bench.results.model import Run, Section


class Chapter(msgspec.Struct, frozen=True):
    name: str
    slug: str
    sections: list[tuple[str, Section]]
    """Each with its slug."""

    @property
    def subjects(self) -> dict[str, list[str]]:
        """The slugs of each subject's sections."""
        found: dict[str, list[str]] = {}
        for slug, section in self.sections:
            found.setdefault(section.subject, []).append(slug)
        return found


def chapters(run: Run) -> list[Chapter]:
    """Groups in the order in which they first come; a subject without a group is one of its own."""
    found: dict[str, Chapter] = {}
    for number, section in enumerate(run.sections, 1):
        name = run.groups.get(section.subject, section.subject)
        chapter = found.setdefault(name, Chapter(name, slug(len(found) + 1, name), []))
        chapter.sections.append((f"{chapter.slug}-{slug(number, section.title)}", section))
    return list(found.values())


def slug(number: int, text: str) -> str:
    """What a link calls it: unique by its number, readable by its text."""
    return f"{number}-{re.sub('[^a-z0-9]+', '-', text.lower()).strip('-')}"[:60]
