"""galvo's plugin `tagger`: `with tagged(route="/jobs"): ...`."""

from galvo_tagger.plugin import TaggerPlugin
from galvo_tagger.settings import TaggerSettings
from galvo_tagger.tags import comment, tagged

__all__ = ["TaggerPlugin", "TaggerSettings", "comment", "tagged"]
