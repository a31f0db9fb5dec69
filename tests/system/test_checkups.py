"""What plugins say for `galvo doctor`: the verdicts, from facts."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from galvo import Finding
from galvo_cache.checkup import checkup as of_cache
from galvo_embedded.checkup import checkup as of_embedded
from galvo_memory.signals import Sample
from galvo_memory.signals.bound import Bound
from galvo_memory.watching.checkup import checkup as of_memory
from galvo_pool.advice.checkup import findings, halves, of_extension, of_places, of_version
from galvo_pool.advice.facts import Facts
from galvo_tasks.config.checkup import checkup as of_tasks
from galvo_tasks.settings import TasksSettings

GIB = 1 << 30


def verdict(finding: Finding) -> tuple[str, str]:
    return finding.verdict, f"{finding.found}: {finding.advice}"


@pytest.mark.parametrize(
    "major, today, expected, said",
    [
        (12, date(2024, 1, 1), "problem", "galvo needs 13 or newer"),
        (14, date(2026, 11, 12), "problem", "no fixes since 2026-11-12: upgrade to 18"),
        (14, date(2026, 11, 11), "advice", "no fixes after 2026-11-12: plan the upgrade"),
        (16, date(2026, 11, 12), "ok", ""),
        (99, date(2026, 11, 12), "ok", ""),
    ],
)
def test_versions_of_postgresql(major: int, today: date, expected: str, said: str) -> None:
    found, words = verdict(of_version(major, f"{major}.1", today))
    assert found == expected
    assert said in words


def test_places_and_extensions() -> None:
    facts = Facts({"max_connections": 100, "superuser_reserved_connections": 3}, pools={"min_size": 1, "max_size": 97})
    assert of_places(facts).verdict == "ok"
    small = Facts({"max_connections": 50, "superuser_reserved_connections": 3}, pools=facts.pools)
    assert verdict(of_places(small))[0] == "problem"
    told = [*findings((18, "18.0"), small, {"hypopg": None, "pgstattuple": "1.5"})]
    assert [one.subject for one in told if one.verdict == "problem"] == ["connections"], "said once"
    assert verdict(of_extension("hypopg", "why", {"hypopg": None})) == (
        "advice", "not installed: create extension hypopg: why",
    )  # fmt: skip
    assert "shared_preload_libraries" in of_extension("pg_stat_statements", "", {"pg_stat_statements": None}).advice
    assert of_extension("hypopg", "why", {}).verdict == "ok", "nothing that could be done by SQL"


def test_advice_falls_into_what_is_and_what_to_do() -> None:
    assert halves("fsync is off: set it on; now") == ("fsync is off", "set it on; now")
    assert halves("nothing to split") == ("nothing to split", "")


class Client:
    def __init__(self, facts: dict[str, Any] | None) -> None:
        self.facts = facts

    async def info(self) -> dict[str, Any]:
        if self.facts is None:
            raise Away("me:hunter2@host")
        return self.facts


FULL = {"redis_version": "8.0", "maxmemory": GIB, "used_memory": 1000}


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url, facts, expected",
    [
        ("", None, ["ok"]),
        ("redis://localhost/0", None, ["problem", "ok"]),
        ("redis://me:hunter2@cache.example/0", FULL | {"maxmemory_policy": "allkeys-lfu"}, ["ok", "advice", "ok"]),
        ("redis+cluster://cache.example", FULL | {"maxmemory_policy": "noeviction"}, ["ok", "advice", "advice"]),
        ("rediss://cache.example/0", FULL | {"maxmemory": 0}, ["ok", "ok", "advice"]),
        ("unix:///run/redis", FULL | {"maxmemory_policy": "volatile-lru"}, ["ok", "ok", "ok"]),
    ],
)
async def test_the_shared_redis(url: str, facts: dict[str, Any] | None, expected: list[str]) -> None:
    told = await of_cache(url, Client(facts))
    assert [one.verdict for one in told] == expected
    assert "hunter2" not in str(told)
    assert all(one.advice for one in told if one.verdict != "ok"), "each says what to change"


def test_a_bound_of_memory() -> None:
    def sample(share: float, psi: float = 0.0, name: str = "machine") -> Sample:
        full = Bound("/sys/fs/cgroup/shop", GIB, int(share * GIB))
        return Sample(rss=1, limit=8 * GIB, used=1, psi_some10=psi, blocks=0, at=0, bound=name, fullest=full)

    for share, expected in ((0.5, "ok"), (0.9, "advice"), (0.96, "problem")):
        assert [one.verdict for one in of_memory(sample(share), [])] == ["ok", expected]
    assert [one.verdict for one in of_memory(sample(0.5, psi=20), ["a file"])] == ["ok", "ok", "advice", "ok"]
    assert "/sys/fs/cgroup/shop" in of_memory(sample(0.96), [])[1].advice


def test_the_folder_of_embedded_servers(tmp_path: Path) -> None:
    assert [one.subject for one in of_embedded(tmp_path, {})] == ["servers"]
    assert [one.subject for one in of_embedded(tmp_path, {"Redis": "8.0"})] == ["Redis", "disk"]
    (gone,) = of_embedded(tmp_path / "gone", {"Redis": "8.0"})
    assert verdict(gone) == (
        "problem",
        f"{tmp_path / 'gone'}: No such file or directory: correct data under [embedded]",
    )


def test_a_broker_that_is_away_and_a_task_that_goes_wrong() -> None:
    from galvo_tasks import celery_app

    assert [one.verdict for one in of_tasks(None)] == ["ok"]
    app = celery_app("shop", TasksSettings(broker="redis://me:hunter2@127.0.0.1:1/0", app="shop"))
    app.conf.task_acks_late = False
    told = of_tasks(app)
    assert verdict(told[0])[0] == "problem"
    assert "start it, or set broker under [tasks]" in told[0].advice
    assert "hunter2" not in str(told)
    assert {one.subject for one in told[1:]} >= {"task_acks_late"}
