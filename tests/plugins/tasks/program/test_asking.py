"""`galvo tasks worker` and `check`, asked for what cannot be: one sentence each."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from galvo_tasks.cli import main
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.program.conftest import Said


@pytest.mark.parametrize(
    "words, text",
    [
        (["--class", "imgae"], "--class imgae is no runtime class: there are quick, image, bulk, laser under"),
        (["--class", "quick", "--class", "laser"], "these classes want two (quick processes, laser threads)"),
        (["--class", "quick", "--app", "no.such:app"], "cannot be imported: No module named 'no'"),
        (["--class", "quick", "--app", "broken:app"], "cannot be imported: ValueError: no such thing"),
        (["--class", "quick", "--app", "shop:nothing"], "module 'shop' has no attribute 'nothing'"),
    ],
)
def test_a_worker_that_cannot_be(said: Said, words: list[str], text: str) -> None:
    code, printed = said("worker", *words)
    assert code == 1
    assert text in printed
    assert printed.count("\n") == 1


def test_no_application_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 1
    assert 'set app = "package.module:name" under [tasks], or say --app' in capsys.readouterr().err


def test_no_worker_starts_with_a_trap(shop: Celery[Any], said: Said) -> None:
    shop.conf.worker_prefetch_multiplier = 4
    for command in (["worker", "--class", "quick"], ["check"], ["check", "--offline"]):
        code, printed = said(*command)
        assert code == 3
        assert "worker_prefetch_multiplier: 4 takes 4 tasks per process before" in " ".join(printed.split())
        assert max(map(len, printed.splitlines())) <= 80


def test_what_is_right_is_told_in_a_line(said: Said, own_redis: OwnRedis) -> None:
    own_redis_says(own_redis, "appendonly", "yes")
    code, printed = said("check")
    assert code == 0
    assert printed.startswith("shop: ")
    assert printed.endswith(": no known trap\n")
    code, printed = said("check", "--json")
    assert json.loads(printed) == {"traps": [], "server": json.loads(printed)["server"], "away": None}


def test_a_server_that_throws_tasks_away(said: Said, own_redis: OwnRedis) -> None:
    own_redis_says(own_redis, "maxmemory-policy", "allkeys-lru")
    assert said("check")[0] == 0  # until it has a limit
    own_redis_says(own_redis, "maxmemory", "100mb")
    code, printed = said("worker", "--class", "quick")
    assert code == 3
    assert "set it to noeviction" in printed


def test_a_broker_that_is_not_there(said: Said, own_redis: OwnRedis) -> None:
    own_redis.kill()
    code, printed = said("worker", "--class", "quick", "--no-wait")
    assert code == 1
    assert printed.count("\n") == 1
    assert printed.startswith(f"galvo: the broker {own_redis.url} cannot be reached (")
    assert "start it, or set broker under [tasks]" in printed
    code, printed = said("check")
    assert code == 0
    assert "what its server does was not looked at" in " ".join(printed.split())


def own_redis_says(redis: OwnRedis, name: str, value: str) -> None:
    with Redis.from_url(redis.url) as client:
        client.config_set(name, value)


def test_an_application_that_was_never_configured(said: Said) -> None:
    vars(sys.modules["shop"])["plain"] = Celery("plain")
    code, printed = said("check", "--app", "shop:plain")
    assert code == 1
    assert "shop:plain was never configured" in printed
