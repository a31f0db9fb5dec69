"""Forking while an event loop runs in another thread.

A child has that thread's locks as they were and its descriptors, but not the thread: a lock that it held is never let
go (that of a module being imported), and the epoll, which both share from then on, can be spoilt by either. So
the loop stands still between two callbacks while the process forks, when it holds nothing, and the child gets rid of
what it inherited. fork(2), epoll(7), pthread_atfork(3).
"""

from galvo_tasks.scaling.forks.standstill import Standstill, uncut

__all__ = ["Standstill", "uncut"]
