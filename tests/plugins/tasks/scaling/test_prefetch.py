"""A worker takes no more from the broker than it may run at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo_tasks import celery_app
from galvo_tasks.broker.depths import depths
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.stand import Stand, standing
from tests.thorough import THOROUGH

MIB = 1 << 20
PROCESS, IMAGE = "tests.plugins.tasks.scaling.jobs.process", "tests.plugins.tasks.scaling.jobs.image"


@pytest.fixture(params=["redis", "rabbit"] if THOROUGH else ["redis"])
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stand]:
    if request.param == "redis":
        redis: OwnRedis = request.getfixturevalue("own_redis")
        url = redis.url
    else:
        url = request.getfixturevalue("rabbit").fresh()
    classes = {"image": {"memory": "200MiB"}}
    with standing(tmp_path, url, app="tests.plugins.tasks.scaling.jobs:app", kernel=False, classes=classes) as made:
        with (made.folder / "settings" / "galvo.toml").open("a") as file:
            file.write(f"[memory]\nlimit = {800 * MIB}\n")
        yield made


def test_what_does_not_fit_waits_in_the_broker(stand: Stand) -> None:
    """Four at most by the command line, two by memory."""
    app = celery_app("scaled", stand.settings)
    worker = stand.worker("--class", "image", "--concurrency", "4")
    worker.until("2 at once, were 1: memory")
    for number in range(5):
        app.send_task(IMAGE, (number, 1, 2.0), queue="scaled.image")
    waiting = lambda: sum(one.tasks for one in depths(str(app.conf.broker_url), ["scaled.image"]))  # noqa: E731
    stand.until(lambda: waiting() == 3)
    seen = []
    while not stand.notes():  # two run
        seen.append(waiting())
    assert set(seen[:-2]) == {3}  # one may have ended between its note and the next look
    stand.until(lambda: len(stand.notes()) == 5)
    assert waiting() == 0
