from __future__ import annotations

from typing import Any

import pytest
from celery.app.defaults import SETTING_KEYS
from celery.exceptions import QueueNotFound

from galvo_tasks import Priority, TasksSettings, celery_app
from galvo_tasks.config.errors import UnknownClass
from galvo_tasks.config.preset import preset, worker_preset

REDIS, RABBIT = "redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"


def settings(broker: str = REDIS, **values: Any) -> TasksSettings:
    return TasksSettings.model_validate({"broker": broker, **values})


@pytest.mark.parametrize("broker", [REDIS, RABBIT])
def test_every_key_is_one_of_celery(broker: str) -> None:
    told = {**preset("shop", settings(broker), broker), **worker_preset(settings(broker), broker)}
    assert set(told) - SETTING_KEYS == set()


@pytest.mark.parametrize("broker, number", [(REDIS, 5), (RABBIT, 4)])
def test_without_a_priority_a_task_is_normal(broker: str, number: int) -> None:
    assert preset("shop", settings(broker), broker)["task_default_priority"] == number
    assert Priority.of("amqp" if broker == RABBIT else "redis", number) is Priority.NORMAL


def test_each_class_has_a_queue_and_rabbitmq_knows_its_priorities() -> None:
    queues = preset("shop", settings(RABBIT, classes={"laser": {}}), RABBIT)["task_queues"]
    assert [queue.name for queue in queues] == ["shop.quick", "shop.image", "shop.bulk", "shop.laser"]
    assert {queue.queue_arguments["x-max-priority"] for queue in queues} == {9}


def test_a_task_waits_in_the_queue_of_its_class() -> None:
    app = celery_app("shop", settings())

    @app.task(shared=False, runtime="image")
    def raster() -> None: ...

    @app.task(shared=False)
    def estimate() -> None: ...

    def queue(task: Any) -> str:
        return str(app.amqp.router.route({}, task.name, (), {}, task)["queue"].name)

    assert (queue(raster), queue(estimate)) == ("shop.image", "shop.quick")


@pytest.mark.parametrize("broker, number", [(REDIS, 5), (RABBIT, 4)])
def test_what_is_known_by_its_name_only_is_quick_and_normal(broker: str, number: int) -> None:
    router = celery_app("shop", settings(broker)).amqp.router
    route = router.route({}, "of.another.process")
    assert (route["queue"].name, route["priority"]) == ("shop.quick", number)
    assert router.route({"priority": 9, "queue": "shop.bulk"}, "of.another.process")["priority"] == 9


def test_a_queue_that_is_not_there_is_not_made() -> None:
    with pytest.raises(QueueNotFound, match=r"'shop\.imgae'"):
        celery_app("shop", settings()).amqp.router.route({"queue": "shop.imgae"}, "raster")


def test_a_class_that_is_not_there_is_named() -> None:
    app = celery_app("shop", settings())

    @app.task(shared=False, runtime="imgae")
    def raster() -> None: ...

    with pytest.raises(UnknownClass, match=r"runtime='imgae' of task .*raster is no runtime class: there are quick, i"):
        app.amqp.router.route({}, raster.name, (), {}, raster)


def test_a_worker_is_more_patient_than_who_publishes() -> None:
    publishing = preset("shop", settings(deadline=5), REDIS)["broker_transport_options"]
    working = worker_preset(settings(deadline=5), REDIS)["broker_transport_options"]
    assert publishing["socket_timeout"] + publishing["socket_connect_timeout"] < 5
    assert working["socket_timeout"] > 10
