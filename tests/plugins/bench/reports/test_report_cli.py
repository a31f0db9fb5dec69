"""`galvo bench report`, from a file to a file."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from galvo import GalvoError
from galvo_bench import cli
from galvo_bench.reports.markdown import markdown
from galvo_bench.reports.page import page
from galvo_bench.results.store import LAST, save
from tests.plugins.bench.reports import sample


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_last_run_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    save(LAST, sample.partial())
    assert cli.main(["report"]) == 0
    said = capsys.readouterr().out
    assert "The mission's claims" in said
    assert "galvo with cache" in said
    assert "PARTIAL" in said


def test_a_named_run_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    save(Path("run.json"), sample.whole())
    assert cli.main(["report", "run.json", "--markdown", "BENCHMARKS.md", "--html", "out/report.html"]) == 0
    assert Path("BENCHMARKS.md").read_text("utf-8") == markdown(sample.whole())
    assert Path("out/report.html").read_text("utf-8") == page(sample.whole())
    assert capsys.readouterr().out == ""


def test_a_run_survives_its_file() -> None:
    """Numbers are not changed on the way."""
    save(Path("run.json"), sample.whole())
    cli.main(["report", "run.json", "--html", "report.html"])
    assert Path("report.html").read_text("utf-8") == page(sample.whole())


def test_no_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 2
    assert "last.json" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"command": 1}', "\x00\xff"])
def test_a_file_that_is_no_run(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.json").write_text(text, "latin-1")
    assert cli.main(["report", "run.json"]) == 2
    assert "run.json is not a run" in capsys.readouterr().err


def test_a_place_that_cannot_be_written() -> None:
    save(Path("run.json"), sample.whole())
    Path("file").write_text("")
    with pytest.raises(GalvoError, match=r"cannot write file/report\.html"):
        cli.main(["report", "run.json", "--html", "file/report.html"])


def test_a_run_that_knows_more(capsys: pytest.CaptureFixture[str]) -> None:
    """A newer galvo's: what is not known is left out."""
    made = msgspec.to_builtins(sample.whole()) | {"colour": "blue"}
    Path("run.json").write_bytes(msgspec.json.encode(made))
    assert cli.main(["report", "run.json"]) == 0
    assert "galvo with cache" in capsys.readouterr().out
