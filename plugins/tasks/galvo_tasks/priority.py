"""How urgent a task is, whichever way the broker counts."""

from __future__ import annotations

from enum import IntEnum

HIGHEST_OF_RABBITMQ = 9


class Priority(IntEnum):
    """Among the tasks of one queue. Redis calls its most urgent list 0, RabbitMQ its most urgent messages 9."""

    URGENT = 0
    HIGH = 2
    NORMAL = 5
    LOW = 7
    BULK = 9

    def on(self, kind: str) -> int:
        """The number that a broker of this kind ("redis" or "amqp") has for it."""
        return HIGHEST_OF_RABBITMQ - self if kind == "amqp" else int(self)

    @classmethod
    def of(cls, kind: str, number: int | None) -> Priority:
        """What `number` means to that broker; without one: NORMAL."""
        if number is None:
            return cls.NORMAL
        urgency = HIGHEST_OF_RABBITMQ - number if kind == "amqp" else number
        return max((one for one in cls if one <= urgency), default=cls.URGENT)


STEPS = tuple(int(priority) for priority in Priority)
"""Redis' lists per queue."""
