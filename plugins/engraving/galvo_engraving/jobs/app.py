"""The shop's Celery application, as workers import it: `galvo tasks worker --class image`, with

[tasks]
app = "galvo_engraving.jobs.app:app"
"""

from __future__ import annotations

from galvo_engraving.jobs.tasks import shop

app = shop()
