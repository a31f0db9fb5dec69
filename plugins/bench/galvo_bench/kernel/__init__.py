"""The stack itself: a hit, an uncached query, the chain, the start."""
