from __future__ import annotations

from galvo_tasks import celery_app
from tests.plugins.tasks.stand import Stand


def test_a_worker_runs_a_task(stand: Stand) -> None:
    app = celery_app("test", stand.settings)
    app.send_task("tests.plugins.tasks.jobs.noted", ("hello",))
    worker = stand.worker()
    stand.until(lambda: stand.notes() == ["hello"])
    assert worker.stop() == 0
