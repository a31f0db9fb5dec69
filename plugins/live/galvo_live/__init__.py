"""Live operation: plugins switched and settings read again while the application runs."""

from galvo_live.plugin import LivePlugin
from galvo_live.settings import LiveSettings

__all__ = ["LivePlugin", "LiveSettings"]
