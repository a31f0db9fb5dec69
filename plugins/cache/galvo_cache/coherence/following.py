"""What is heard, in order: the one place where this process's belief about the others changes.

A number is missing, another epoch, what does not decode: each is doubt, and doubt ends everything that was believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from galvo_cache.coherence.marks import Marks
from galvo_cache.coherence.outbox import Acks
from galvo_cache.coherence.stamps import Stamps
from galvo_cache.coherence.wire import Ack, Announce, End, Frame, Leave, Pulse, Stamped, decode
from galvo_cache.touch import Touch


class Follower(Protocol):
    """Who serves the remembered answers: the ledger."""

    def begin(self, touch: Touch | None) -> object:
        """Until `end`, serve and store nothing that `touch` changes. Gives a handle."""

    def end(self, handle: object) -> None:
        """The write of `begin` has ended."""

    def clear(self) -> None:
        """Drop all answers, and whatever is being read in order to be one."""


class Doubt(Exception):
    """Something may have been missed."""


class Following:
    """Reads the stream from one join to the next doubt."""

    def __init__(self, follower: Follower, marks: Marks, acks: Acks, stamps: Stamps) -> None:
        self._follower, self._marks, self._acks, self._stamps = follower, marks, acks, stamps
        self.held: dict[bytes, object] = {}
        self.epoch: bytes | None = None
        self._number = 0
        self.pulsed: Callable[[int, int], None] = lambda nonce, grace: None
        self.acked = 0

    def heard(self, to_all: bool, data: bytes) -> None:
        """One message; `to_all` or to this member only. Raises Doubt."""
        try:
            message = decode(data)
            if isinstance(message, Ack):
                if to_all:
                    raise Doubt("an acknowledgement to all")
                self.acked += self._marks.acked(message.member, message.ids)
            elif to_all:
                self._heard_by_all(message)
            else:
                self._heard_alone(message)
        except (msgspec.MsgspecError, ValueError):
            raise Doubt("garbage") from None

    def forget(self) -> None:
        """Believe nothing any more."""
        self._stamps.clear()
        if self.epoch is None and not self.held:
            return  # nothing has been since the last time: a join that fails must not cost the catalog each time
        held, self.held, self.epoch = self.held, {}, None
        for handle in held.values():
            self._follower.end(handle)
        self._follower.clear()

    def _heard_by_all(self, frame: Frame) -> None:
        if self.epoch is None:
            return  # before the join: what of it is still pending is told again
        self._number += 1
        self._check(frame)
        body = frame.body
        if isinstance(body, Announce):
            self._begin(body)
        elif isinstance(body, End):
            for id in body.ids:
                if id in self.held:
                    self._follower.end(self.held.pop(id))
        elif isinstance(body, Leave):
            self._marks.gone(body.member)
        else:
            raise Doubt("told to all what concerns one")

    def _heard_alone(self, frame: Frame) -> None:
        body = frame.body
        if self.epoch is not None:
            self._check(frame)
        if isinstance(body, Announce):
            self._begin(body)
        elif isinstance(body, Pulse):
            if self.epoch is None:
                self.epoch, self._number = frame.epoch, frame.number
            self.pulsed(body.nonce, frame.grace)
        elif isinstance(body, Stamped):
            self._stamps.answered(body.request, body.stamps)
        else:
            raise Doubt("told to one what concerns all")

    def _check(self, frame: Frame) -> None:
        if frame.epoch != self.epoch:
            raise Doubt("another epoch")
        if frame.number != self._number:
            raise Doubt("a gap")

    def _begin(self, said: Announce) -> None:
        self._stamps.renewed(said.id, said.touch)
        if said.id[:6] == self._marks.member:
            self._marks.acked(said.id[:6], (said.id,))  # our own: it is in our ledger since before it was sent
        elif said.id not in self.held:
            self.held[said.id] = self._follower.begin(said.touch)
            self._acks.add(said.id)
        else:
            self._acks.add(said.id)
