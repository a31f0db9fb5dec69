"""Every parameter of the catalogue changes what is drawn, or its family says that it does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from galvo_engraving.boxes.families import CATALOGUE
from galvo_engraving.boxes.sheet import chosen, preview_svg
from galvo_engraving.boxes.values import effective
from galvo_engraving.catalogue import Parameter, Template
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.test_catalogue_drawn import TEMPLATES, rows

FEW = {"columns": 2, "rows": 2, "drawers": 2}
"""For a honeycomb, which is drawn slowly."""


def others(parameter: Parameter, value: Any) -> Iterator[Any]:
    if parameter.kind == "flag":
        yield not value
    elif parameter.kind == "choice":
        yield from parameter.choices
    else:
        assert parameter.minimum is not None
        assert parameter.maximum is not None
        least, most = parameter.minimum, parameter.maximum
        made = (value * 1.2, (least + value) / 2, value * 0.8, value + 1, (most + value) / 2, (3 * least + value) / 4)
        yield from map(round, made) if parameter.kind == "count" else made


def ignored(template: Template) -> str:
    """What the family says of it."""
    said = sys.modules[CATALOGUE[template.slug].__module__].__doc__ or ""
    return " ".join(said.partition("Ignored:")[2].split())


@pytest.mark.parametrize("slug", TEMPLATES)
def test_it_is_drawn_or_said_to_be_ignored(slug: str) -> None:
    template = TEMPLATES[slug]
    few: dict[str, Any] = FEW if slug == "parts-drawer-wall" else {}
    asks = any(parameter.name == "engrave_text" for parameter in template.parameters)
    for parameter in template.parameters:
        if parameter.minimum is not None and parameter.minimum == parameter.maximum:
            continue
        given = few | ({"engrave_text": True} if parameter.name == "text_height" and asks else {})
        usual, tried, changed = _drawn(template, given), 0, False
        for other in others(parameter, effective(rows(template), given)[parameter.name]):
            with suppress(Unfit):
                changed = _drawn(template, given | {parameter.name: other}) != usual
                tried += 1
            if changed:
                break
        if tried and not changed:
            assert re.search(rf"\b{parameter.name}\b", ignored(template)), parameter.name


@cache
def _usual(slug: str, given: tuple[tuple[str, Any], ...]) -> bytes:
    return preview_svg(slug, chosen(slug, rows(TEMPLATES[slug]), dict(given)), title="Name")


def _drawn(template: Template, given: dict[str, Any]) -> bytes:
    return _usual(template.slug, tuple(given.items()))
