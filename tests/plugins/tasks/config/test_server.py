"""What servers say of themselves, asked of real ones."""

from __future__ import annotations

import pytest
from redis import Redis

from galvo_tasks import TasksSettings, celery_app
from galvo_tasks.config.check import check
from galvo_tasks.config.preset import preset
from galvo_tasks.config.server import named, server
from galvo_tasks.errors import NoBroker
from tests.plugins.cache.coherence.own_redis import OwnRedis
from tests.plugins.tasks.rabbit import Rabbit
from tests.thorough import THOROUGH


def test_redis(own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory", "64mb")
        client.config_set("maxmemory-policy", "allkeys-lfu")
        client.config_set("maxclients", "77")
        client.config_set("save", "900 1")
        found = server(own_redis.url)
    assert found.title.startswith("Redis 6.2")
    assert (found.role, found.policy, found.maxmemory, found.most) == ("master", "allkeys-lfu", 64 << 20, 77)
    assert (found.appendonly, found.snapshots) == (False, True)
    assert found.connected == 2


def test_redis_as_kombu_and_galvo_name_it(own_redis: OwnRedis) -> None:
    settings = TasksSettings.model_validate({"broker": own_redis.url})
    told = preset("shop", settings, own_redis.url)
    for url in (told["broker_url"], told["broker_read_url"], own_redis.url.replace("unix", "redis+socket")):
        assert server(url).role == "master"


def test_a_redis_whose_settings_are_not_told(own_redis: OwnRedis) -> None:
    with Redis.from_url(own_redis.url) as client:
        client.execute_command("ACL", "SETUSER", "guest", "on", ">secret", "~*", "+@all", "-config")
    url = own_redis.url.replace("unix://", "unix://guest:secret@")
    assert server(url).snapshots is None
    assert "secret" not in named(url)


@pytest.mark.parametrize(
    "url", ["redis://:secret@127.0.0.1:1/0", "amqp://guest:secret@127.0.0.1:1//", "unix:///nowhere.sock"]
)
def test_nobody_is_there(url: str) -> None:
    with pytest.raises(NoBroker, match=r"^the broker .* cannot be reached \(.+\): start it, or set broker") as caught:
        server(url)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_password_that_is_wrong(own_redis: OwnRedis) -> None:
    with pytest.raises(NoBroker) as caught:
        server(own_redis.url.replace("unix://", "unix://guest:secret@"))
    assert "secret" not in str(caught.value)


@pytest.mark.skipif(not THOROUGH, reason="workers on RabbitMQ ask it, too")
def test_rabbitmq(rabbit: Rabbit) -> None:
    url = rabbit.fresh()
    found = server(url)
    assert found.title.startswith("RabbitMQ 3.")
    assert found.most is None
    assert check(celery_app("shop", TasksSettings.model_validate({"broker": url})), found) == []
    with pytest.raises(NoBroker) as caught:
        server(url.replace("guest:guest", "guest:secret"))
    assert "secret" not in str(caught.value)
