from __future__ import annotations

from itertools import pairwise

import pytest

from galvo_engraving import catalogue
from galvo_engraving.catalogue import Material, Parameter, Template

MATERIALS = catalogue.materials()
TEMPLATES = catalogue.templates()
PARAMETERS = [
    pytest.param(parameter, id=f"{template.slug}-{parameter.name}")
    for template in TEMPLATES
    for parameter in template.parameters
]
each_material = pytest.mark.parametrize("material", MATERIALS, ids=lambda m: m.slug)
each_template = pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.slug)


def test_there_are_enough() -> None:
    complete = [m for m in MATERIALS if {s.operation for s in m.settings} == set(catalogue.OPERATIONS)]
    assert len(complete) >= 20
    assert len(TEMPLATES) >= 30


def test_slugs_and_names_are_unique() -> None:
    for entries in (MATERIALS, TEMPLATES):
        assert len({entry.slug for entry in entries}) == len({entry.name for entry in entries}) == len(entries)


@each_material
def test_a_laser_can_do_it(material: Material) -> None:
    assert 0.05 < material.density < 9
    for setting in material.settings:
        assert 0 < setting.thickness <= 12
        assert 1 <= setting.speed <= 500
        assert 1 <= setting.power <= 100
        assert 1 <= setting.passes <= 4
        assert (setting.kerf is not None) == (setting.operation == "cut")
        assert (setting.interval is not None) == (setting.operation == "engrave")
        assert setting.kerf is None or 0.05 <= setting.kerf <= 0.5
        assert setting.interval is None or 0.02 <= setting.interval <= 0.2


@each_material
def test_thicker_sheets_cut_slower_and_not_with_less_power(material: Material) -> None:
    cuts = [setting for setting in material.settings if setting.operation == "cut"]
    for thin, thick in pairwise(cuts):
        assert thin.thickness < thick.thickness
        assert thin.speed / thin.passes > thick.speed / thick.passes
        assert thin.power <= thick.power
        assert (thin.kerf or 0) <= (thick.kerf or 0)


@each_material
def test_engraving_is_faster_than_scoring_and_scoring_than_cutting(material: Material) -> None:
    for thickness in {setting.thickness for setting in material.settings}:
        speeds = {s.operation: s.speed for s in material.settings if s.thickness == thickness}
        order = [speeds[operation] for operation in catalogue.OPERATIONS if operation in speeds]
        assert order == sorted(order)


@each_template
def test_a_template_asks_at_least_ten_different_questions(template: Template) -> None:
    names = [parameter.name for parameter in template.parameters]
    assert len(names) == len(set(names)) >= 10
    assert 1 <= template.difficulty <= 5
    assert template.minutes > 0
    assert template.summary.endswith(".")


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_the_default_is_allowed(parameter: Parameter) -> None:
    assert parameter.description.endswith(".")
    if parameter.kind == "flag":
        assert parameter.default in ("true", "false")
    elif parameter.kind == "choice":
        assert parameter.default in parameter.choices
    else:
        assert parameter.minimum is not None
        assert parameter.maximum is not None
        assert parameter.minimum <= float(parameter.default) <= parameter.maximum
        assert parameter.kind != "count" or float(parameter.default).is_integer()


@each_template
def test_joints_are_thicker_than_the_kerf_and_fingers_than_the_sheet(template: Template) -> None:
    values = {parameter.name: parameter.default for parameter in template.parameters}
    assert float(values["kerf"]) < float(values["thickness"])
    assert float(values.get("finger", "99")) >= 2 * float(values["thickness"])
