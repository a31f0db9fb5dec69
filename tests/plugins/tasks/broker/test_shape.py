"""What is overridden or used of kombu, Celery and redis-py is not all public: it still has the shape that it had."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import redis
from celery import signals
from celery.worker import state
from celery.worker.request import Request
from kombu.transport import TRANSPORT_ALIASES, virtual
from kombu.transport import redis as kombu

CHANNEL = {
    "_put": "(self, queue, message, **kwargs)",
    "_purge": "(self, queue)",
    "_delete": "(self, queue, exchange, routing_key, pattern, *args, **kwargs)",
    "_get": "(self, queue)",
    "basic_consume": "(self, queue, *args, **kwargs)",
    "basic_get": "(self, queue, no_ack=False, **kwargs)",
    "_brpop_start": "(self, timeout=None)",
    "_brpop_read": "(self, **options)",
    "_basic_cancel": "(self, consumer_tag)",
    "_on_connection_disconnect": "(self, connection)",
    "_connparams": "(self, asynchronous=False)",
    "_flush_brpop_reauth": "(self)",
    "_get_message_priority": "(self, message, reverse=False)",
    "priority": "(self, n)",
    "close": "(self)",
}
QOS = {
    "append": "(self, message, delivery_tag)",
    "ack": "(self, delivery_tag)",
    "reject": "(self, delivery_tag, requeue=False)",
    "restore_unacked": "(self, client=None)",
    "restore_visible": "(self, start=0, num=10, interval=10)",
    "restore_unacked_once": "(self, stderr=None)",
    "_flush": "(self)",
}
ELSEWHERE: list[tuple[Any, str, str]] = [
    (virtual.Channel, "basic_consume", "(self, queue, no_ack, callback, consumer_tag, **kwargs)"),
    (virtual.Transport, "_deliver", "(self, message, queue)"),
    (kombu.MultiChannelPoller, "on_poll_start", "(self)"),
    (kombu.MultiChannelPoller, "_register_BRPOP", "(self, channel)"),
    (redis.Redis, "parse_response", "(self, connection, command_name, **options)"),
]


@pytest.mark.parametrize(
    "owner, name, signature",
    [*((kombu.Channel, *one) for one in CHANNEL.items()), *((kombu.QoS, *one) for one in QOS.items()), *ELSEWHERE],
)
def test_methods(owner: Any, name: str, signature: str) -> None:
    found = inspect.signature(getattr(owner, name))
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in found.parameters.values()]
    assert str(inspect.Signature(bare)) == signature


def test_the_poller_asks_the_channel_to_begin_and_to_read() -> None:
    assert "channel._brpop_start()" in inspect.getsource(kombu.MultiChannelPoller._register_BRPOP)
    assert "'BRPOP': self._brpop_read" in inspect.getsource(kombu.Channel.__init__)
    assert "channel._on_connection_disconnect(self)" in inspect.getsource(kombu.Channel._connparams)


def test_attributes() -> None:
    channel: Any = kombu.Channel
    assert (channel.sep, channel._in_poll, channel._brpop_sent_at, channel._closing) == ("\x06\x16", False, None, False)
    assert {"priority_steps", "global_keyprefix", "sep", "queue_order_strategy"} <= {*channel.from_transport_options}
    assert channel.connection_class is redis.Connection
    assert kombu.Transport.brpop_timeout == 1
    assert kombu.Transport.driver_type == "redis"  # what Celery's worker_disable_prefetch looks at
    assert TRANSPORT_ALIASES["redis"] == "kombu.transport.redis:Transport"


def test_what_is_known_of_a_request() -> None:
    request: Any = Request
    assert (request.time_start, request._apply_result) == (None, None)
    assert "self._apply_result = maybe(ref, result)" in inspect.getsource(Request.execute_using_pool)
    assert isinstance(Request.message, property)
    assert (state.should_stop, state.should_terminate) == (None, None)
    assert type(state.active_requests).__name__ == "WeakSet"
    assert "request" in signals.task_received.providing_args
