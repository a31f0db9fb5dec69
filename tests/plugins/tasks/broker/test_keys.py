from __future__ import annotations

import threading

from galvo_tasks.broker.headers import key_of
from tests.plugins.tasks.broker.side import Side, sides


def test_a_second_publish_with_the_same_key_adds_nothing(side: Side) -> None:
    for number in range(3):
        side.publish(number, **{"galvo-key": "k", "id": f"id{number}"})
    side.publish("other", **{"galvo-key": "l"})
    assert side.bodies() == [0, "other"]
    assert side.redis.get(key_of("", "q", "k")) == b"id0"
    assert 86000 < side.redis.ttl(key_of("", "q", "k")) <= 86400


def test_a_key_counts_for_its_time_to_live(side: Side) -> None:
    side.publish("first", **{"galvo-key": "k", "galvo-key-ttl": 0.05})
    while side.redis.exists(key_of("", "q", "k")):
        pass
    side.publish("second", **{"galvo-key": "k"})
    assert side.bodies() == ["first", "second"]


def test_a_key_holds_for_delayed_ones_too(side: Side) -> None:
    for _ in range(2):
        side.publish("later", **{"galvo-key": "k", "galvo-delay": 1000})
    assert side.redis.zcard("q\x06\x16delayed") == 1


def test_of_many_at_once_one_wins(redis_url: str) -> None:
    with sides(redis_url, 8) as many:
        start = threading.Barrier(len(many))

        def publish(side: Side) -> None:
            start.wait()
            for number in range(20):
                side.publish(number, **{"galvo-key": f"k{number}"})

        threads = [threading.Thread(target=publish, args=(side,)) for side in many]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(many[0].bodies()) == list(range(20))
