"""What becomes of a message that was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kombu.transport import redis, virtual

if TYPE_CHECKING:
    from galvo_tasks.broker.channel import Channel
    from galvo_tasks.broker.leases import Leases


_QoS: Any = redis.QoS


class QoS(_QoS):  # type: ignore[misc]  # its stubs know little of what is overridden here
    """Kombu's, with the script TAKE having noted the message already, and leases instead of a visibility timeout."""

    channel: Channel

    @property
    def _leases(self) -> Leases:
        return self.channel.leases

    def append(self, message: Any, delivery_tag: str) -> None:
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        self._leases.acknowledge(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Put it behind the others of its priority, and count it if it may have begun; or drop it."""
        if requeue:
            self.give_back(delivery_tag, lost=self._leases.may_have_begun(delivery_tag))
        else:
            self.ack(delivery_tag)

    def give_back(self, delivery_tag: str, *, lost: bool) -> None:
        """Put it behind the others of its priority; `lost`: one more worker has ended while it may have run it."""
        self._leases.give_back(delivery_tag, lost=lost, last=True)
        virtual.QoS.ack(self, delivery_tag)

    def restore_unacked(self, client: Any = None) -> list[Any]:
        """The channel is closed."""
        self._flush()
        for tag in list(self._delivered):
            self._leases.leave(tag)
        self._delivered.clear()
        return []

    def restore_visible(self, start: int = 0, num: int = 10, interval: int = 10) -> None:
        """The leases' thread does this."""
