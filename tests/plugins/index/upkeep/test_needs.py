"""What is done for a table, by rules; what the server says of it is in test_work.py."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from galvo_index.upkeep.facts import Table
from galvo_index.upkeep.needs import need
from galvo_index.upkeep.thresholds import thresholds

TABLE = Table(
    oid=1, kind="r", name="public.t", rows=100_000, pages=2000, visible=2000, frozen=None, age=1000, multi_age=0,
    dead=0, modified=0, inserted=0, index_scans=0, scans=0, analyzed=True, working=False, options={},
)  # fmt: skip
SETTINGS = {
    "autovacuum": "on",
    "track_counts": "on",
    "autovacuum_naptime": "60",
    "autovacuum_vacuum_threshold": "50",
    "autovacuum_vacuum_scale_factor": "0.2",
    "autovacuum_vacuum_insert_threshold": "1000",
    "autovacuum_vacuum_insert_scale_factor": "0.2",
    "autovacuum_analyze_threshold": "50",
    "autovacuum_analyze_scale_factor": "0.1",
    "autovacuum_freeze_max_age": "200000000",
    "autovacuum_multixact_freeze_max_age": "400000000",
}
OFF = {"options": {"autovacuum_enabled": "off"}}


@pytest.mark.parametrize(
    "changed, action, words",
    [
        ({}, None, ""),
        ({"dead": 9_000}, None, ""),
        ({"dead": 11_000}, "vacuum", "11,000 dead rows, 55% of what autovacuum waits for"),
        ({"dead": 21_000}, "leave", "autovacuum is about to take it"),
        ({"dead": 21_000} | OFF, "vacuum", "its threshold is 20,050, and autovacuum is off for it"),
        ({"dead": 21_000, "working": True}, "leave", "is being vacuumed or analyzed now"),
        ({"working": True}, None, ""),
        ({"inserted": 15_000}, "vacuum", "rows inserted since a vacuum, 71%"),
        ({"inserted": 22_000}, "leave", "autovacuum is about to"),
        ({"inserted": 15_000, "options": {"autovacuum_vacuum_insert_threshold": "-1"}}, None, ""),
        ({"inserted": 9_000, "frozen": 1000}, "vacuum", "82%"),  # from 18 on the frozen part does not count
        ({"modified": 6_000}, "analyze", "6,000 rows changed since ANALYZE, 60%"),
        ({"modified": 12_000} | OFF, "analyze", "its threshold is 10,050"),
        ({"rows": 10, "dead": 40, "modified": 30}, None, ""),
        ({"rows": -1, "dead": 51} | OFF, "vacuum", "its threshold is 50,"),
        ({"age": 149_000_000}, None, ""),
        ({"age": 151_000_000}, "freeze", "76% of the way"),
        ({"age": 201_000_000} | OFF, "leave", "to prevent wraparound"),
        ({"multi_age": 301_000_000}, "freeze", "75% of the way"),
        ({"age": 900_000, "options": {"autovacuum_freeze_max_age": "1000000"}}, "freeze", "90% of the way"),
        ({"age": 900_000, "options": {"autovacuum_freeze_max_age": "900000000"}}, None, ""),
        ({"visible": 900, "index_scans": 9, "inserted": 2000}, "vacuum", "read the table for 1,100 of its 2,000"),
        ({"visible": 900, "index_scans": 1, "scans": 2, "inserted": 2000}, None, ""),
        ({"visible": 900, "index_scans": 9}, None, ""),
        ({"dead": 150, "options": OFF["options"] | {"autovacuum_vacuum_scale_factor": "0"}}, "vacuum", "50"),
        ({"kind": "p", "analyzed": False}, "analyze", "partitioned, which autovacuum never analyzes"),
        ({"kind": "p"}, None, ""),
    ],
)  # fmt: skip
def test_need(changed: dict[str, object], action: str | None, words: str) -> None:
    table = replace(TABLE, **changed)
    found = need(table, thresholds(table, SETTINGS))
    assert (found.action if found else None) == action, found
    if found:
        assert words in found.why
        assert "full" not in found.sql


def test_the_largest_threshold_of_18() -> None:
    assert thresholds(TABLE, SETTINGS | {"autovacuum_vacuum_max_threshold": "5000"}).dead == 5000
    assert thresholds(TABLE, SETTINGS | {"autovacuum_vacuum_max_threshold": "-1"}).dead == 20_050


@pytest.mark.parametrize("name", ["autovacuum", "track_counts"])
def test_autovacuum_off_for_all(name: str) -> None:
    found = need(replace(TABLE, dead=21_000), thresholds(TABLE, SETTINGS | {name: "off"}))
    assert found
    assert found.action == "vacuum"


def test_autovacuum_that_does_not_come() -> None:
    table = replace(TABLE, dead=21_000)
    for waited, action in ((299.0, "leave"), (301.0, "vacuum")):
        found = need(table, thresholds(table, SETTINGS), waited)
        assert found
        assert found.action == action
