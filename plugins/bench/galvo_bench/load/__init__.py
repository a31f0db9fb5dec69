"""Load from a process of its own: open and closed loops over HTTP, and the processes that are asked."""
