"""What is kept of the shelf is never shown after an edit; and which setting a sheet is worked with."""

from __future__ import annotations

import pytest

from galvo_engraving.materials import cutting
from tests.plugins.engraving.http.looking import Edit, assert_news, edited, looked_at
from tests.plugins.engraving.http.stand import Api
from tests.plugins.engraving.http.test_shelf_writes import CUT, LID, MATERIAL, TEMPLATE

pytestmark = pytest.mark.anyio
EDITS: list[tuple[Edit, list[str]]] = [
    (("PATCH", "templates/1", {"summary": "new"}), ["templates/1", "templates?limit=100"]),
    (("PATCH", "templates/1", {"template_group": "new"}), ["templates/1", "templates/groups", "templates?group=new"]),
    (("PUT", "templates/1/parameters", {"parameters": [LID]}), ["templates/1"]),
    (("POST", "templates", TEMPLATE), ["templates?limit=100", "templates/groups"]),
    (("PATCH", "materials/1", {"note": "new"}), ["materials/1"]),
    (("PATCH", "materials/1", {"family": "new"}), ["materials/1", "materials/families", "materials?limit=100"]),
    (("POST", "materials", MATERIAL), ["materials?limit=100", "materials/families"]),
    (("POST", "materials/1/settings", CUT), ["materials/1", "materials/1/settings", "materials?limit=100"]),
    (("PATCH", "settings/1", {"power_pct": 55.5}), ["materials/1", "materials/1/settings"]),
    (("DELETE", "settings/1", None), ["materials/1", "materials/1/settings"]),
    (("PATCH", "machines/2", {"watts": 12}), ["machines/2", "machines"]),
]


@pytest.mark.parametrize("edit, paths", EDITS, ids=[f"{edit[0]} {edit[1]} {n}" for n, (edit, _) in enumerate(EDITS)])
async def test_an_edit_is_seen_at_once_by_another(api: Api, edit: Edit, paths: list[str]) -> None:
    staff, reader = await api.staff(), api.stranger()
    before = await looked_at(reader, paths)
    await edited(staff, edit)
    await assert_news(reader, before)


async def test_a_sheet_is_worked_with_the_nearest_setting(api: Api) -> None:
    staff = await api.staff()
    material = (await staff.post("/api/materials", json=MATERIAL | {"name": "Nearest"})).json()["id"]
    numbers = {}
    for thickness in (3, 4, None):
        told = await staff.post(f"/api/materials/{material}/settings", json=CUT | {"thickness_mm": thickness})
        numbers[thickness] = told.json()["id"]
    for thickness, nearest in ((2.0, 3), (3.4, 3), (3.5, 3), (3.51, 4), (9.0, 4)):
        found = await cutting.setting_for(api.shop.db, material, thickness, "cut", 1)
        assert found is not None
        assert found.id == numbers[nearest], thickness
    assert await cutting.setting_for(api.shop.db, material, 3.0, "cut", 2) is None
    assert await cutting.setting_for(api.shop.db, material, 3.0, "score", 1) is None
    for thickness in (3, 4):
        await staff.delete(f"/api/settings/{numbers[thickness]}")
    found = await cutting.setting_for(api.shop.db, material, 3.0, "cut", 1)
    assert found is not None
    assert found.id == numbers[None]
