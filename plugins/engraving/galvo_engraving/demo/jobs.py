"""The second half of the demo: jobs on one real worker."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from galvo_engraving.demo.display import Bar
from galvo_engraving.demo.hand import hand


async def play(redis: str, database: str, bar: Bar) -> dict[str, Any]:
    """What became of each scene. Raises GalvoError, among them what a job failed with."""
    # Imported late: what Celery takes must not be charged to the comparison before.
    from galvo_engraving.demo.scenes import Scenes, picture
    from galvo_engraving.jobs.tasks import shop
    from galvo_tasks import TasksSettings, jobs
    from galvo_tasks.publishing.publisher import close

    began = perf_counter()
    app = shop(TasksSettings.model_validate({"broker": redis}))
    with tempfile.TemporaryDirectory(prefix="galvo-demo-") as name:
        path = Path(name) / "picture.jpg"
        await asyncio.to_thread(picture, path)
        await asyncio.to_thread(_empty, app)
        scenes = Scenes(app, path)
        try:
            async with hand(Path(name), redis, database) as worker:
                for number, scene in enumerate(scenes.all):
                    await bar.update(number, len(scenes.all))
                    await worker.during(scene())
        finally:
            await jobs.close()
            await asyncio.to_thread(close, app)
    return {**scenes.told, "seconds": perf_counter() - began}


def _empty(app: Any) -> None:
    """Take away what a demo that was killed has left."""
    with app.connection_for_write() as connection:
        for queue in app.amqp.queues.values():
            queue(connection.default_channel).purge()
