"""Every template of the catalogue, as it is and at both ends of each of its parameters."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from galvo_engraving import catalogue
from galvo_engraving.boxes.asked import Asked
from galvo_engraving.boxes.drawing import draw, nominal
from galvo_engraving.boxes.families import CATALOGUE, drawable
from galvo_engraving.boxes.panel import POINTS, Panel
from galvo_engraving.boxes.values import Value, effective
from galvo_engraving.catalogue import Template
from galvo_engraving.problems import Unfit
from tests.plugins.engraving.boxes.plane import edges, inside, touch, whole
from tests.thorough import THOROUGH, some

TEMPLATES = {template.slug: template for template in catalogue.templates()}
each_template = pytest.mark.parametrize("slug", TEMPLATES)
LARGE = 1_500
"""Points from which on a drawing is checked with GALVO_THOROUGH only."""


def rows(template: Template) -> list[dict[str, Any]]:
    """As the database has them."""
    return [
        {
            **{name: getattr(parameter, name) for name in ("name", "kind", "unit", "minimum", "maximum")},
            "default_value": parameter.default,
            "choices": list(parameter.choices),
        }
        for parameter in template.parameters
    ]


def ends(template: Template) -> Iterator[dict[str, Any]]:
    """Each parameter at its least and most, and each of its choices, the others as they are."""
    for parameter in template.parameters:
        if parameter.kind == "flag":
            yield {parameter.name: parameter.default != "true"}
        elif parameter.kind == "choice":
            yield from ({parameter.name: choice} for choice in parameter.choices)
        else:
            yield {parameter.name: parameter.minimum}
            yield {parameter.name: parameter.maximum}
    numbers = [parameter for parameter in template.parameters if parameter.minimum is not None]
    yield {parameter.name: parameter.minimum for parameter in numbers}
    yield {parameter.name: parameter.maximum for parameter in numbers}


def different(panels: list[Panel]) -> list[Panel]:
    """One of those that are the same."""
    return list({repr((panel.outline, panel.holes)): panel for panel in panels}.values())


def test_all_of_them_can_be_drawn() -> None:
    assert set(CATALOGUE) == set(TEMPLATES)
    for slug, template in TEMPLATES.items():
        assert drawable(f"{slug}-2", [parameter.name for parameter in template.parameters])


@each_template
def test_as_it_is(slug: str) -> None:
    values = effective(rows(TEMPLATES[slug]), {})
    panels = draw(slug, values, "Somebody's box")
    assert len({panel.name for panel in panels}) == len(panels)
    for panel in different(panels):
        whole(panel)


@each_template
def test_its_labels_lie_on_the_parts_and_across_nothing(slug: str) -> None:
    values = effective(rows(TEMPLATES[slug]), {})
    asked = [Asked({**values, "labels": labels, "burn_test": True}, "Box") for labels in (False, True)]
    for bare, panel in zip(*(nominal(slug, one) for one in asked), strict=True):
        strokes = panel.scores[len(bare.scores) :]
        for stroke in strokes:
            assert all(inside(panel.outline, point) for point in stroke)
            assert not any(inside(hole, point) for hole in panel.holes for point in stroke)
        closed = [edge for contour in (panel.outline, *panel.holes) for edge in edges(contour)]
        lines = [edge for line in (*bare.scores, *panel.cuts, *panel.engraved) for edge in pairwise(line)]
        drawn = [edge for stroke in strokes for edge in pairwise(stroke)]
        assert not any(touch(one, other) for one in drawn for other in (*closed, *lines))


@each_template
def test_at_both_ends_it_is_whole_or_the_parameter_is_named(slug: str) -> None:
    template = TEMPLATES[slug]
    names = {parameter.name for parameter in template.parameters}
    drawn = 0
    sentences = []
    asked = some(ends(template), 3)
    for given in asked:
        values = effective(rows(template), given)
        try:
            panels = draw(slug, values, "Name")
        except Unfit as problem:
            named = problem.sentence.split(":")[0]
            sentences.append((given, named))
            continue
        drawn += 1
        size = sum(panel.points() for panel in panels)
        assert size <= 2 * POINTS
        if size < LARGE or THOROUGH:
            for panel in different(panels):
                try:
                    whole(panel)
                except AssertionError as error:
                    raise AssertionError(f"{given}: {error}") from None
    for given, named in sentences:
        assert named in names or named.startswith(("this would be more", "these values")), (given, named)
    assert drawn >= 0.5 * len(asked)


def test_what_is_asked_for_is_inside() -> None:
    values: dict[str, Value] = {"width": 100.0, "depth": 80.0, "height": 50.0, "thickness": 4.0, "finger": 10.0}
    panels = {panel.name: panel for panel in nominal("finger-joint-box", Asked(values))}
    spans = {name: {x for x, _ in panel.outline} | {y for _, y in panel.outline} for name, panel in panels.items()}
    # The inner faces of a joint are where its gaps end.
    assert {0, 100, 50} <= spans["front"]
    assert {0, 80} <= spans["left"]
    assert {0, 100, 80} <= spans["floor"]


@each_template
def test_labels_are_on_their_parts(slug: str) -> None:
    values = {**effective(rows(TEMPLATES[slug]), {}), "labels": True}
    panels = nominal(slug, Asked(values))
    unlabelled = nominal(slug, Asked({**values, "labels": False}))
    found = 0
    for panel, before in zip(panels, unlabelled, strict=True):
        letters = panel.scores[len(before.scores) :]
        found += bool(letters)
        for x, y in (point for stroke in letters for point in stroke):
            assert inside(panel.outline, (x, y)), panel.name
            assert not any(inside(hole, (x, y)) for hole in panel.holes), panel.name
    assert found >= len(panels) / 3


def test_one_template_in_detail() -> None:
    panels = draw("finger-joint-box", effective(rows(TEMPLATES["finger-joint-box"]), {"burn_test": "false"}))
    assert [panel.name for panel in panels] == ["front", "back", "left", "right", "floor", "top"]
