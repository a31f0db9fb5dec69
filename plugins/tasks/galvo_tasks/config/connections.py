"""How many connections the broker has to take, at most."""

from __future__ import annotations

import msgspec

MAIN = {"redis": 8, "amqp": 2}
"""Of a worker's main process: Redis: one that waits for tasks, one that takes them, four for leases and
acknowledgements, and for moments one each that looks at depths and puts tasks aside. RabbitMQ: the last of these, and
one for all the rest."""
CHILD = 1
"""Of a process that runs tasks, which may publish others."""
ASKING, RUNNING = 9, 3
"""More of a process where progress and results are kept in the broker. Who asks for them: four each to write and to
read, and one that hears of changes; who runs such tasks: one each to write, to read and to hear whether one is
cancelled."""


class Part(msgspec.Struct, frozen=True):
    """Processes of one kind."""

    what: str
    processes: int
    each: int
    """Connections of one of them."""
    text: str = ""
    """How `each` is made up."""

    @property
    def connections(self) -> int:
        return self.processes * self.each


class Plan(msgspec.Struct, frozen=True):
    parts: tuple[Part, ...]
    most: int | None = None
    """That the server takes: None where it does not tell."""
    connected: int | None = None
    """Now, by whomever."""

    @property
    def needed(self) -> int:
        return sum(part.connections for part in self.parts)

    @property
    def exceeded(self) -> bool:
        return self.most is not None and self.needed > self.most


def publishers(processes: int, threads: int, *, results: bool) -> Part:
    """Of the application, each with `threads` that publish."""
    more = ASKING * results
    return Part("publishers", processes, threads + more, f"{threads} threads{f' + {more}' if more else ''}")


def workers(kind: str, runtime: str, number: int, children: int, *, results: bool) -> Part:
    """`number` workers of a class, each with `children`, processes whose tasks publish one after the other.

    `kind`: "redis" or "amqp".
    """
    more = RUNNING * results
    main, child = MAIN[kind] + more, CHILD + more
    return Part(f"worker {runtime}", number, main + children * child, f"{main} + {children} children x {child}")
