"""Asks a process of this machine about itself, as its own user or root only: an abstract Unix socket, no file."""

from galvo_local.answering import Answering, asker
from galvo_local.asking import NoAnswer, ask, called, named, owners, processes

__all__ = ["Answering", "NoAnswer", "ask", "asker", "called", "named", "owners", "processes"]
