"""What scaling relies on of Celery, billiard and asyncio that is no public interface: an upgrade is to fail here."""

from __future__ import annotations

import asyncio
import inspect
from selectors import BaseSelector

from billiard.pool import Pool
from billiard.process import BaseProcess
from celery.concurrency.asynpool import AsynPool
from celery.worker.autoscale import Autoscaler, WorkerComponent
from celery.worker.components import Pool as PoolStep
from celery.worker.consumer.consumer import Consumer
from kombu.asynchronous.semaphore import LaxBoundedSemaphore


def parameters(function: object) -> list[str]:
    return list(inspect.signature(function).parameters)  # type: ignore[arg-type]


def test_the_autoscaler() -> None:
    assert parameters(Autoscaler.__init__) == [
        "self", "pool", "max_concurrency", "min_concurrency", "worker", "keepalive", "mutex"
    ]  # fmt: skip
    assert parameters(Autoscaler._maybe_scale) == ["self", "req"]
    assert "self.pool.maintain_pool()" in inspect.getsource(Autoscaler.maybe_scale)
    assert "w.autoscaler.keepalive, w.autoscaler.maybe_scale" in inspect.getsource(
        WorkerComponent.register_with_event_loop
    )
    assert "w.max_concurrency, w.min_concurrency = w.autoscale" in inspect.getsource(PoolStep.__init__)


def test_the_pool() -> None:
    assert parameters(Pool._worker_active) == ["self", "worker"]
    assert parameters(Pool.grow) == ["self", "n"]
    assert parameters(BaseProcess.terminate_controlled) == ["self"]
    assert parameters(LaxBoundedSemaphore.shrink) == ["self", "n"]
    source = inspect.getsource(AsynPool)
    for text in (
        "self._busy_workers = set()",
        "self._waiting_to_start = set()",
        "mark_worker_as_busy(ready_fd)",
        "if ready_fd not in all_inqueues:\n" + " " * 20 + "hub.remove_writer(ready_fd)",
    ):
        assert text in source, text
    shrink = inspect.getsource(Pool.shrink)  # what end_idle does otherwise
    for text in ("self._processes -= 1", "self._putlock.shrink()", "worker.terminate_controlled()"):
        assert text in shrink, text


def test_the_consumer() -> None:
    assert parameters(Consumer._update_qos_eventually) == ["self", "index"]
    from celery.worker.consumer import tasks

    assert 'getattr(c.controller, "max_concurrency", None)' in inspect.getsource(tasks)


def test_asyncio_s_loop() -> None:
    loop = asyncio.SelectorEventLoop()
    try:
        assert isinstance(loop._selector, BaseSelector)  # type: ignore[attr-defined]
        assert loop._csock.fileno() > 0  # type: ignore[attr-defined]
    finally:
        loop.close()
