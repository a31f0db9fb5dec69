"""BENCHMARKS.md at the root, when there is one: of a whole run, with the command that makes it."""

from __future__ import annotations

from pathlib import Path


def test_it_is_whole_and_names_its_command(project: Path) -> None:
    file = project / "BENCHMARKS.md"
    if not file.exists():
        return
    first, *others = file.read_text("utf-8").splitlines()
    assert first == "# Benchmarks"
    assert any("Made by `galvo bench" in line for line in others[:4])
