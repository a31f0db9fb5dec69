"""The tests' own RabbitMQ behaves as a broker that fails."""

from __future__ import annotations

from kombu import Connection
from kombu.simple import SimpleQueue

from galvo_tasks.broker.depths import Depth, depths
from tests.plugins.tasks.rabbit import Rabbit
from tests.thorough import THOROUGH

CONFIRMED = {"confirm_publish": True}
"""Without it a message may be lost with the node after publishing has returned."""


if THOROUGH:  # it starts a node twice

    def test_what_is_durable_outlives_a_node_that_is_killed(rabbit: Rabbit) -> None:
        here, there = rabbit.fresh(), rabbit.fresh()
        with Connection(here, transport_options=CONFIRMED) as connection, SimpleQueue(connection, "orders") as queue:
            queue.put({"id": 7}, delivery_mode=2)
        assert rabbit.queues(here) == {"orders": (1, 0)}
        assert rabbit.queues(there) == {}
        rabbit.kill()
        rabbit.start()
        with Connection(here) as connection, SimpleQueue(connection, "orders") as queue:
            message = queue.get(timeout=5)
            assert message.payload == {"id": 7}
            message.ack()

    def test_how_many_wait_is_told_without_their_priority(rabbit: Rabbit) -> None:
        url = rabbit.fresh()
        with Connection(url, transport_options=CONFIRMED) as connection, SimpleQueue(connection, "orders") as queue:
            for number in range(3):
                queue.put(number)
        assert depths(url, ["none", "orders"]) == [Depth("orders", None, 3, None)]
