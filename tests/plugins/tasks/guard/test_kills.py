"""Workers are killed at random on RabbitMQ: no task is lost, and none that must not runs twice."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from tests.plugins.tasks.guard.perilous import MODULE, perilous
from tests.plugins.tasks.rabbit import Rabbit
from tests.thorough import THOROUGH

TASKS, KILLS = 1000, 12
WORDS = ("--class", "quick", "--concurrency", "4")


if THOROUGH:

    def test_workers_are_killed(rabbit: Rabbit, tmp_path: Path) -> None:
        url, chance = rabbit.fresh(), random.Random(7)
        names = [f"{kind} {number}" for number in range(TASKS // 2) for kind in ("once", "twice")]
        with perilous(tmp_path, url) as those:
            with those.app.producer_or_acquire() as producer:
                for name in names:
                    task = f"{MODULE}.brief_{name.split()[0]}"
                    those.app.send_task(task, (name,), task_id=name, producer=producer)
            for kill in range(KILLS):
                worker = those.stand.worker(*WORDS)
                goal = len(names) * (kill + 1) // (KILLS + 1) + chance.randrange(-5, 5)
                those.stand.until(lambda goal=goal: len(those.stand.notes()) >= 2 * goal)  # type: ignore[misc]
                worker.kill()
            last = those.stand.worker(*WORDS)
            those.stand.until(lambda: rabbit.queues(url)["perils.quick"] == (0, 0), 60)
            assert last.stop() == 0

            notes = Counter(those.stand.notes())
            dead = {one.letter.id for one in those.letters.entries()}
            twice = [name for name in names if notes[f"begin {name}"] > 1]
        assert [name for name in names if not notes[f"end {name}"] and name not in dead] == []
        assert [name for name in twice if name.startswith("once")] == []
        assert [name for name in dead if name.startswith("twice")] == []
        assert len(dead) <= 4 * KILLS
        print(f"{TASKS} tasks, {KILLS} kills: {len(twice)} ran twice, {len(dead)} put aside")
