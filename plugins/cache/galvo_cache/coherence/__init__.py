"""Coherence of the caches of several processes, through Redis."""

from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.following import Follower
from galvo_cache.coherence.marks import Mark, Unannounced
from galvo_cache.coherence.stamps import fields_read, fields_renewed

__all__ = ["Coherence", "Follower", "Mark", "Unannounced", "fields_read", "fields_renewed"]
