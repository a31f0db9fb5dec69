"""What the shop does in the background: rasters for the laser, estimates of its time."""
