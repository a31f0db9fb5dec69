"""Each known trap, set on purpose; without any, nothing is found."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import celery
import pytest
from celery import Celery
from kombu import Queue

from galvo_tasks import Priority, TasksSettings, celery_app, configure
from galvo_tasks.config.check import check
from galvo_tasks.config.preset import preset
from galvo_tasks.config.server import Server
from galvo_tasks.config.trap import Trap

REDIS, RABBIT = "redis://127.0.0.1:1/0", "amqp://guest:guest@127.0.0.1:1//"
PLAIN = [Queue("shop.quick"), Queue("shop.image")]
QUORUM = [Queue("shop.quick", queue_arguments={"x-max-priority": 9, "x-queue-type": "quorum"})]


def shop(broker: str = REDIS, **values: Any) -> Celery[Any]:
    return celery_app("shop", TasksSettings.model_validate({"broker": broker, **values}))


def found(app: Celery[Any], name: str, server: Server | None = None) -> Trap:
    traps = [trap for trap in check(app, server) if trap.name == name]
    assert len(traps) == 1, check(app, server)
    return traps[0]


@pytest.mark.parametrize("broker", [REDIS, RABBIT])
def test_the_preset_has_no_trap(broker: str) -> None:
    app = shop(broker)

    @app.task(shared=False, priority=Priority.BULK, keep_result=broker == REDIS)
    def raster() -> None: ...

    assert check(app) == []


@pytest.mark.parametrize(
    "broker, setting, value, text, fatal",
    [
        (REDIS, "task_default_priority", None, "goes before all others: set it to 5", True),
        (RABBIT, "task_default_priority", None, "goes after all others: set it to 4", True),
        (REDIS, "task_default_priority", 12, "12 is outside of 0 to 9: set it to 5", True),
        (REDIS, "task_inherit_parent_priority", True, "set it to False", False),
        (REDIS, "task_acks_late", False, "lost with its worker: set it to True", True),
        (REDIS, "worker_prefetch_multiplier", 4, "4 takes 4 tasks per process before they can run", True),
        (REDIS, "worker_prefetch_multiplier", 0, "0 takes all that wait before they can run", True),
        (REDIS, "worker_disable_prefetch", False, "set it to True", False),
        (REDIS, "worker_cancel_long_running_tasks_on_connection_loss", True, "set it to False", True),
        (REDIS, "accept_content", ["json", "pickle"], "only json is accepted", True),
        (REDIS, "accept_content", ["application/x-python-serialize"], "only json is accepted", True),
        (REDIS, "accept_content", ["jsno"], "'jsno' is no format", True),
        (REDIS, "task_serializer", "pickle", "only json is accepted", True),
        (REDIS, "task_ignore_result", False, "half of its cost: set it to True", False),
        (REDIS, "result_backend", "redis://127.0.0.1:1/1", "leave it out", False),
        (REDIS, "worker_send_task_events", True, "up to 70 % to its cost: set it to False", False),
        (REDIS, "task_default_rate_limit", "9/s", "9/s holds a place in the worker while it waits", True),
        (REDIS, "broker_pool_limit", None, "opens a connection for each task", False),
        (RABBIT, "task_queues", PLAIN[:1], "x-max-priority None", True),
        (RABBIT, "task_queues", QUORUM, "quorum queue", True),
    ],
)
def test_a_setting(broker: str, setting: str, value: Any, text: str, fatal: bool) -> None:
    app = shop(broker)
    app.conf[setting] = value
    trap = found(app, setting)
    assert text in trap.text
    assert trap.fatal is fatal


@pytest.mark.parametrize(
    "broker, option, value, text",
    [
        (REDIS, "priority_steps", None, "[0, 3, 6, 9] put URGENT and HIGH into one list"),
        (REDIS, "priority_steps", [0, 9, 5], "have to begin with 0 and to rise"),
        (REDIS, "queue_order_strategy", "round_robin", 'set it to "priority"'),
        (REDIS, "socket_timeout", None, "without socket_timeout a broker that is silent stops whoever publishes"),
        (RABBIT, "read_timeout", 0, "without read_timeout a broker"),
        (RABBIT, "confirm_publish", False, "set it to True"),
    ],
)
def test_an_option_of_the_transport(broker: str, option: str, value: Any, text: str) -> None:
    app = shop(broker)
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, option: value}
    assert text in found(app, "broker_transport_options").text


def test_a_visibility_timeout_below_a_time_limit_on_kombus_own_transport() -> None:
    app = shop(classes={"bulk": {"time_limit": 10_000}})
    app.conf.broker_read_url = REDIS
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "visibility_timeout": 9_000}
    assert "set it to 20000 or more" in found(app, "broker_transport_options").text
    assert "leave it out" in found(app, "broker_read_url").text


def test_a_visibility_timeout_where_there_are_leases() -> None:
    app = shop()
    app.conf.broker_transport_options = {**app.conf.broker_transport_options, "visibility_timeout": 9_000}
    assert "set lease under [tasks]" in found(app, "broker_transport_options").text


@pytest.mark.parametrize(
    "options, text, fatal",
    [
        ({"runtime": "imgae"}, "runtime='imgae' is no runtime class: there are quick, image, bulk", True),
        ({"priority": 9}, "priority=9 means BULK on this broker and the opposite on others: write Priority.BULK", True),
        ({"priority": 4}, "priority=4 is none: write Priority.URGENT, ", True),
        ({"acks_late": False}, "acks_late=False acknowledges it before it runs", True),
        ({"rate_limit": "1/m"}, "rate_limit='1/m' holds a place in the worker while it waits, before all", True),
        ({"soft_time_limit": 9, "time_limit": 9}, "never has time to clean up: lower it", False),
    ],
)
def test_a_task(options: dict[str, Any], text: str, fatal: bool) -> None:
    app = shop()

    @app.task(shared=False, name="raster", **options)
    def raster() -> None: ...

    trap = found(app, "raster")
    assert text in trap.text
    assert trap.fatal is fatal


def test_a_rate_that_nobody_keeps() -> None:
    app = shop()
    app.conf.worker_disable_rate_limits = True

    @app.task(shared=False, rate_limit="1/m")
    def raster() -> None: ...

    assert check(app) == []


def test_threads_that_nobody_can_end() -> None:
    app = shop(classes={"web": {"pool": "threads"}})

    @app.task(shared=False, runtime="web")
    async def asked() -> None: ...

    assert check(app) == []

    def plain() -> None: ...

    for number in range(7):
        app.task(shared=False, runtime="web", name=f"plain{number}")(plain)
    trap = found(app, "classes.web")
    assert "does not hold for plain0, plain1, plain2, plain3, plain4 and 2 more: set it to" in trap.text
    assert not trap.fatal


def test_the_habit_of_redis_on_rabbitmq() -> None:
    app = shop(RABBIT)

    @app.task(shared=False, name="raster", priority=0)
    def raster() -> None: ...

    assert "priority=0 means BULK on this broker" in found(app, "raster").text


def test_a_result_that_has_nowhere_to_be_kept() -> None:
    app = shop(RABBIT)

    @app.task(shared=False, name="raster", keep_result=True)
    def raster() -> None: ...

    assert "set results = redis://... under [tasks]" in found(app, "raster").text
    with_results = shop(RABBIT, results="redis://127.0.0.1:1/1")
    with_results.task(shared=False, name="raster", keep_result=True)(raster.run)
    assert check(with_results) == []


def test_celerys_own_result_beside_a_backend() -> None:
    app = shop()
    app.conf.result_backend = "redis://127.0.0.1:1/1"

    @app.task(shared=False, name="raster", ignore_result=False)
    def raster() -> None: ...

    assert "use keep_result=True" in found(app, "raster").text


def test_two_tasks_with_one_name() -> None:
    app = shop()

    def made(first: bool) -> None:
        if first:

            @app.task(shared=False, name="raster")
            def one() -> None: ...
        else:

            @app.task(shared=False, name="raster")
            def two() -> None: ...

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Celery's own, since 5.7
        made(True)
        made(True)
        assert check(app) == []  # a module that is imported once more
        made(False)
    assert "is the name of two tasks" in found(app, "raster").text


def test_configured_after_a_task_was_made() -> None:
    app: Celery[Any] = Celery("shop")

    @app.task(shared=False, name="raster")
    def raster() -> None: ...

    assert isinstance(raster.delay, object)  # which makes it
    configure(app, TasksSettings.model_validate({"broker": REDIS}))
    assert "was made before configure(app)" in found(app, "raster").text


def test_never_configured() -> None:
    assert "call galvo_tasks.configure(app)" in check(Celery("shop"))[0].text


@pytest.mark.parametrize(
    "server, name, text, fatal",
    [
        (Server("Redis", policy="allkeys-lru", maxmemory=1 << 30), "maxmemory-policy", "throws tasks away", True),
        (Server("Redis", policy="allkeys-lru"), "maxmemory-policy", "once maxmemory is set", False),
        (Server("Redis", policy="volatile-ttl", maxmemory=1), "maxmemory-policy", "results and keys", False),
        (Server("Redis", appendonly=False, snapshots=False), "appendonly", "every task that waits", False),
        (Server("Redis", appendonly=False, snapshots=True), "appendonly", "the last minutes", False),
        (Server("Redis", role="slave"), "broker", "name its master", True),
    ],
)
def test_a_server(server: Server, name: str, text: str, fatal: bool) -> None:
    trap = found(shop(), name, server)
    assert text in trap.text
    assert trap.fatal is fatal


def test_a_server_that_is_right() -> None:
    right = Server("Redis", role="master", policy="noeviction", maxmemory=1 << 30, appendonly=True, snapshots=False)
    assert check(shop(), right) == []


def test_an_embedded_server_is_nobodys_to_change() -> None:
    app = shop("embedded")
    app.conf.update(preset("shop", TasksSettings.model_validate({}), REDIS))
    assert check(app, Server("Redis", appendonly=False, snapshots=False)) == []


def test_every_text_is_one_sentence_that_names_what_to_change() -> None:
    app = shop()
    app.conf.update(task_default_priority=None, task_acks_late=False, worker_prefetch_multiplier=4)
    for trap in check(app):
        assert ": " in trap.text
        assert not trap.text.endswith(".")
        assert trap.text.count(". ") == 0


def test_celery_still_makes_tasks_as_is_watched() -> None:
    words = list(inspect.signature(celery.Celery._task_from_fun).parameters)
    assert words[:3] == ["self", "fun", "name"]
