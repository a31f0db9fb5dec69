from __future__ import annotations

from pathlib import Path

import pytest
from redis import Redis

from galvo_tasks.errors import NoBroker
from galvo_tasks.program.embedded import embedded_redis


def settings(folder: Path, text: str) -> None:
    (folder / "settings").mkdir()
    (folder / "settings" / "galvo.toml").write_text(text)


def test_it_runs_for_as_long_as_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(tmp_path, "[embedded]\non = true\n")
    monkeypatch.chdir(tmp_path)
    with embedded_redis() as url:
        assert Redis.from_url(url).ping()


def test_it_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(tmp_path, "[embedded]\non = false\n")
    monkeypatch.chdir(tmp_path)
    text = r'^broker = "embedded": the plugin embedded is not on: set \[embedded\] on = true$'
    with pytest.raises(NoBroker, match=text), embedded_redis():
        pass
