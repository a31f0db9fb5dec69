"""The shared level of the cache: answers in Redis. It knows bytes and rows, nothing of plans."""

from galvo_cache.l2.connect import client_of, close
from galvo_cache.l2.entry import Stamps, Stored
from galvo_cache.l2.seal import key_of
from galvo_cache.l2.shelf import Item, Shelf

__all__ = ["Item", "Shelf", "Stamps", "Stored", "client_of", "close", "key_of"]
