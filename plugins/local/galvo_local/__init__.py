"""Asks a process of this machine about itself, as its own user or root only."""
