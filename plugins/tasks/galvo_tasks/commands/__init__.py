"""Each module is a command of `galvo tasks`."""
