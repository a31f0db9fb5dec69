"""What is expected, as a file, and how anything else is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from galvo import GalvoError
from galvo_bench.counts import cli, expected
from galvo_bench.counts.expected import Table
from galvo_bench.results.model import Missing, Section, Values

WAS: Table = {"shop": {"page": {"queries": 2, "back": 700}, "hit": {}}}


def told(found: Table, was: Table = WAS) -> list[str]:
    return [str(one) for one in expected.differences(was, found)]


@pytest.mark.parametrize("page, said", [
    ({"queries": 2, "back": 700}, []),
    ({"queries": 3, "back": 700}, ["shop: page: queries grew: expected 2, found 3"]),
    ({"back": 700}, ["shop: page: queries shrank: expected 2, found 0"]),
    ({"queries": 2, "back": 700, "Redis": 1}, ["shop: page: Redis grew: expected 0, found 1"]),
    ({"queries": 2, "back": 701}, ["shop: page: back grew: expected 700, found 701"]),
])  # fmt: skip
def test_whatever_differs_is_told(page: dict[str, float], said: list[str]) -> None:
    assert told({"shop": {"page": page, "hit": {}}}) == said


def test_what_is_new_and_what_is_gone_is_told() -> None:
    assert told({"shop": {"page": WAS["shop"]["page"], "miss": {}}}) == ["shop: miss: is new", "shop: hit: is gone"]
    assert told({"kernel": {"hit": {}}}) == ["kernel: hit: is new"]
    assert told({}) == [], "what was not counted is not compared"


def test_peaks_may_differ_by_two_percent() -> None:
    was: Table = {"allocations, Python 3.11": {"hit": {"peak": 1_000}}}
    assert told({"allocations, Python 3.11": {"hit": {"peak": 1_020}}}, was) == []
    assert told({"allocations, Python 3.11": {"hit": {"peak": 980}}}, was) == []
    assert told({"allocations, Python 3.11": {"hit": {"peak": 1_021}}}, was) == [
        "allocations, Python 3.11: hit: peak grew: expected 1,000, found 1,021"
    ]


def test_another_python_is_not_compared() -> None:
    was: Table = {"allocations, Python 3.11": {"hit": {"peak": 1_000}}}
    found: Table = {"allocations, Python 3.14": {"hit": {"peak": 1}}}
    assert told(found, was) == []
    assert expected.unknown(was, found) == ["allocations, Python 3.14"]
    assert told(found, {}) == ["allocations, Python 3.14: hit: is new"], "nothing at all was recorded"


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    rows = [
        Values('a "row"', {"queries": 3, "trips": 0}),
        Missing("psycopg", "not installed"),
        Values("hit", {"out": 0}),
    ]
    table = expected.table([Section("counts", "shop: on", "", [*rows])])
    assert table == {"shop: on": {'a "row"': {"queries": 3}, "hit": {}}}
    path = tmp_path / "expected.toml"
    assert expected.read(path) == {}
    path.write_text(expected.render(table), "utf-8")
    assert expected.read(path) == table
    path.write_text("[shop]\npage = 3\n", "utf-8")
    with pytest.raises(GalvoError, match="--update` writes it anew"):
        expected.read(path)


def test_ours_is_as_it_would_be_written() -> None:
    assert expected.FILE.read_text("utf-8") == expected.render(expected.read())


def test_an_update_keeps_what_was_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expected, "FILE", tmp_path / "expected.toml")
    monkeypatch.setattr(expected.read, "__defaults__", (expected.FILE,))
    expected.FILE.write_text(expected.render({**WAS, "kernel": {"hit": {"queries": 9}}}), "utf-8")
    section = Section("counts", "kernel", "", [Values("hit", {"queries": 0})])
    assert cli._compare([section], quiet=True) == 1
    assert cli._update([section]) == 0
    assert cli._compare([section], quiet=True) == 0
    assert expected.read() == {**WAS, "kernel": {"hit": {}}}


@pytest.mark.parametrize("given, said", [
    (["shops"], "there is no 'shops'; groups: shop, kernel, pool, allocations"),
    (["--with", "asking"], "write NAME=MODULE:CLASS"),
    (["--update", "--with", "a=b:C"], "leave out --with"),
])  # fmt: skip
def test_wrong_usage(given: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(given)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
