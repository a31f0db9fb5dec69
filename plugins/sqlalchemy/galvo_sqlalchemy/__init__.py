"""SQLAlchemy 2 on galvo: the dialect `postgresql+galvo`."""
