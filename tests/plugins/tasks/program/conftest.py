from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from celery import Celery

from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.cli import main
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.program import work
from tests.plugins.tasks.stand import Stand, standing

CLASSES = {"laser": {"pool": "threads", "concurrency": 3}}
WORK = f"{work.__name__}:app"
Said = Callable[..., tuple[int, str]]


@pytest.fixture
def stand(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Stand]:
    with standing(tmp_path, own_redis.url, app=WORK, classes=CLASSES, kernel=False) as stand:
        yield stand


@pytest.fixture
def no_broker(tmp_path: Path) -> Iterator[Stand]:
    with standing(tmp_path, f"unix://{tmp_path}/own.sock", app=WORK, classes=CLASSES, kernel=False) as stand:
        yield stand


@pytest.fixture
def shop(tmp_path: Path, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch) -> Iterator[Celery[Any]]:
    """An application in this process; `galvo tasks ... --app shop:app` finds it."""
    module = ModuleType("shop")
    app = celery_app("shop", TasksSettings.model_validate({"broker": own_redis.url, "classes": CLASSES}))
    vars(module)["app"] = app
    monkeypatch.setitem(sys.modules, "shop", module)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.py").write_text("raise ValueError('no such thing')\n")
    yield app
    app.close()


@pytest.fixture
def said(shop: Celery[Any], capsys: pytest.CaptureFixture[str]) -> Said:
    """Exit code and output of a command of `galvo tasks`."""

    def run(*words: str) -> tuple[int, str]:
        code = main([*words, *(["--app", "shop:app"] if "--app" not in words else [])])
        return code, "".join(capsys.readouterr())

    return run
