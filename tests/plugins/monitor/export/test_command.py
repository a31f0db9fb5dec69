"""`galvo monitor export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from galvo_monitor import cli


def test_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "grafana"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "galvo"


def test_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "galvo.json"
    assert cli.main(["export", "grafana", "--output", str(file)]) == 0
    assert json.loads(file.read_text())["uid"] == "galvo"
    assert capsys.readouterr().out == f"{file}: written\n"


def test_where_nothing_can_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "grafana", "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"galvo: {tmp_path} cannot be written: Is a directory\n"


@pytest.mark.parametrize("args", [[], ["dance"], ["__init__"], ["export"], ["export", "poem"]])
def test_wrong_usage(args: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = cli.main(args)
    except SystemExit as left:
        code = int(left.code or 0)
    assert code == 2
    assert "usage: galvo monitor" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    assert "export" in capsys.readouterr().out
