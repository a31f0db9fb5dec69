"""`galvo monitor export`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from galvo_monitor import cli
from galvo_monitor.alerts import RULES
from tests.plugins.monitor.export.promtool import promtool


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


@pytest.mark.parametrize(
    "args", [[], ["dance"], ["__init__"], ["export"], ["export", "poem"], ["export", "rules", "--interval", "0"]]
)
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


def test_rules_for_prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "rules", "--output", "rules.yml", "--interval", "15"]) == 0
    text = Path("rules.yml").read_text()
    assert all(f'alert: "{rule.name}"' in text for rule in RULES)
    assert "interval: 15s" in text
    done = promtool("check", "rules", "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(RULES)} rules found" in done.stdout


def test_the_monitor_is_not_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "entrypoints.toml").write_text("")
    assert cli.main(["export", "rules", "--folder", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("galvo: the monitor is not in entrypoints.toml")
