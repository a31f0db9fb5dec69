"""How `galvo status` and `galvo top` ask a running process."""
