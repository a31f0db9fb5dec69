"""A view in a terminal: `galvo status` and `galvo top`."""
