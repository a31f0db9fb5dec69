"""Asks a process of this machine about itself, as its own user or root only: an abstract Unix socket, no file."""

from galvo_local.answering import Answering, asker
from galvo_local.asking import Ended, Late, NoAnswer, ask, called, named, owners, processes
from galvo_local.choosing import described, elsewhere, here, near, only, pid_of
from galvo_local.printing import printable
from galvo_local.surviving import Surviving

__all__ = [
    "Answering", "Ended", "Late", "NoAnswer", "Surviving", "ask", "asker", "called", "described", "elsewhere", "here",
    "named", "near", "only", "owners", "pid_of", "printable", "processes",
]  # fmt: skip
