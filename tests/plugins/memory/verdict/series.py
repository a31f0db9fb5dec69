"""Memory as it may go, in MiB, one number for each 5 s: what leaks, and what only looks so. One seed, one series.

A process's base is 150-400 MiB. What is no leak is made to look like one: it moves by much more than noise, and by
more than the least growth that is worth a word.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

SAMPLES = 180
"""15 minutes."""
DROPPED = 60
"""5 minutes of warm-up, which are not judged."""
NOISES = 20.0
"""A leak grows within the 10 judged minutes by at least so many standard deviations of the noise around it."""
RELATED = 1.5
"""... by so many times more if the noise is autocorrelated, which averages out less."""
TOOTH = 0.6
"""... and a collector's teeth are at most so many times as high as what leaks within those 10 minutes."""
LEAST = 0.025
"""... and within 15 minutes by at least this share of the base."""

Values = list[float]
Maker = Callable[[random.Random, float, int], Values]
Leak = tuple[float, Values]
"""What leaks with each sample, and what is around it."""


def log_uniform(r: random.Random, low: float, high: float) -> float:
    return math.exp(r.uniform(math.log(low), math.log(high)))


def gauss(r: random.Random, n: int, sd: float) -> Values:
    return [r.gauss(0, sd) for _ in range(n)]


def autoregressive(r: random.Random, n: int, sd: float, phi: float) -> Values:
    values = [r.gauss(0, sd)]
    while len(values) < n:
        values.append(phi * values[-1] + r.gauss(0, sd * math.sqrt(1 - phi * phi)))
    return values


def teeth(r: random.Random, n: int, samples: float, height: float, uneven: float = 0.1) -> Values:
    """Up linearly, down at once; each tooth somewhat longer or shorter than `samples`."""
    values: Values = []
    at = r.random()
    while len(values) < n:
        length, top = samples * r.uniform(1 - uneven, 1 + uneven), height * r.uniform(1 - uneven, 1 + uneven)
        while at < 1 and len(values) < n:
            values.append(at * top)
            at += 1 / length
        at -= 1
    return values


def plus(*parts: Values) -> Values:
    return [sum(values) for values in zip(*parts, strict=True)]


# -- leaks ------------------------------------------------------------------------------------------------------


def growth(r: random.Random, base: float) -> float:
    """A sample's."""
    return log_uniform(r, LEAST, 1.0) * base / SAMPLES


def noise_within(r: random.Random, slope: float) -> float:
    """Its standard deviation."""
    return min(log_uniform(r, 0.1, 10), slope * (SAMPLES - DROPPED) / NOISES)


def leak(r: random.Random, base: float, n: int) -> Leak:
    slope = growth(r, base)
    return slope, gauss(r, n, noise_within(r, slope))


def leak_and_sawtooth(r: random.Random, base: float, n: int) -> Leak:
    slope = growth(r, base)
    saw = teeth(r, n, log_uniform(r, 4, 24), min(log_uniform(r, 5, 60), TOOTH * slope * (SAMPLES - DROPPED)))
    return slope, plus(saw, gauss(r, n, noise_within(r, slope) / 2))


def leak_and_ar1(r: random.Random, base: float, n: int) -> Leak:
    slope = growth(r, base)
    return slope, autoregressive(r, n, noise_within(r, slope) / RELATED, r.uniform(0.5, 0.9))


def slow_leak(r: random.Random, base: float, n: int) -> Leak:
    """As little above the noise as is promised to be found."""
    slope = log_uniform(r, LEAST, 0.1) * base / SAMPLES
    return slope, gauss(r, n, slope * (SAMPLES - DROPPED) / NOISES)


def leak_and_warm_up(r: random.Random, base: float, n: int) -> Leak:
    slope = growth(r, base)
    scale, size = r.uniform(2, 12), log_uniform(r, 5, 100)
    warm = [size * (1 - math.exp(-at / scale)) for at in range(n)]
    return slope, plus(warm, gauss(r, n, noise_within(r, slope)))


# -- not leaks --------------------------------------------------------------------------------------------------


def white(r: random.Random, base: float, n: int) -> Values:
    return gauss(r, n, log_uniform(r, 0.1, 20))


def ar1(r: random.Random, base: float, n: int) -> Values:
    return autoregressive(r, n, log_uniform(r, 0.1, 20), r.uniform(0.5, 0.97))


def random_walk(r: random.Random, base: float, n: int) -> Values:
    """After 15 minutes 3-60 MiB off."""
    step, values = log_uniform(r, 3, 60) / math.sqrt(SAMPLES), [0.0]
    while len(values) < n:
        values.append(values[-1] + r.gauss(0, step))
    return values


def log_warm_up(r: random.Random, base: float, n: int) -> Values:
    scale, size = log_uniform(r, 1, 12), log_uniform(r, 10, 300)
    whole = math.log1p(SAMPLES / scale)
    return plus([size * math.log1p(at / scale) / whole for at in range(n)], gauss(r, n, log_uniform(r, 0.1, 1)))


def exponential_warm_up(r: random.Random, base: float, n: int) -> Values:
    scale, size = log_uniform(r, 2, 60), log_uniform(r, 10, 300)
    return plus([size * (1 - math.exp(-at / scale)) for at in range(n)], gauss(r, n, log_uniform(r, 0.1, 1)))


def sawtooth(r: random.Random, base: float, n: int) -> Values:
    """Teeth of 20 s to 3 minutes."""
    return plus(teeth(r, n, log_uniform(r, 4, 36), log_uniform(r, 5, 100)), gauss(r, n, log_uniform(r, 0.1, 1)))


def collector(r: random.Random, base: float, n: int) -> Values:
    """A young generation's teeth upon an old one's, all uneven, and what survives some collections for a while."""
    young = teeth(r, n, log_uniform(r, 3, 10), log_uniform(r, 2, 20), 0.4)
    old = teeth(r, n, log_uniform(r, 24, 48), log_uniform(r, 5, 60), 0.3)
    return plus(young, old, autoregressive(r, n, log_uniform(r, 0.1, 3), 0.9))


def steps_at(r: random.Random, n: int, count: int) -> Values:
    jumps = [0.0] * n
    for _ in range(count):
        jumps[r.randrange(n)] += log_uniform(r, 3, 60) * (1 if r.random() < 0.85 else -1)
    level, values = 0.0, []
    for jump in jumps:
        level += jump
        values.append(level)
    return values


def step(r: random.Random, base: float, n: int) -> Values:
    return plus(steps_at(r, n, 1), gauss(r, n, log_uniform(r, 0.1, 1)))


def several_steps(r: random.Random, base: float, n: int) -> Values:
    """2-5, each 3-60 MiB, most of them up."""
    return plus(steps_at(r, n, r.randint(2, 5)), gauss(r, n, log_uniform(r, 0.1, 1)))


def daily_swing(r: random.Random, base: float, n: int) -> Values:
    """A piece of a day's sine whose peak is up to half of the base above its trough, with the load's own noise."""
    begin, size = r.random(), r.uniform(0.05, 0.5) * base
    swing = [size / 2 * math.sin(2 * math.pi * (begin + at / (96 * SAMPLES))) for at in range(n)]
    return plus(swing, autoregressive(r, n, log_uniform(r, 0.1, 3), 0.8))


LEAKS: dict[str, Callable[[random.Random, float, int], Leak]] = {
    "leak": leak,
    "leak + sawtooth": leak_and_sawtooth,
    "leak + AR(1)": leak_and_ar1,
    "slow leak": slow_leak,
    "leak + warm-up": leak_and_warm_up,
}
NOT_LEAKS: dict[str, Maker] = {
    "white noise": white,
    "AR(1)": ar1,
    "random walk": random_walk,
    "log warm-up": log_warm_up,
    "exponential warm-up": exponential_warm_up,
    "sawtooth": sawtooth,
    "collector": collector,
    "step": step,
    "several steps": several_steps,
    "daily swing": daily_swing,
}


def series(kind: str, seed: int, n: int = SAMPLES, begins: int = 0) -> Values:
    """`begins`: the sample from which on it leaks, if it does."""
    r = random.Random(f"{kind}/{seed}")
    base = r.uniform(150, 400)
    if kind in LEAKS:
        slope, around = LEAKS[kind](r, base, n)
        made = [slope * max(0, at - begins) + value for at, value in enumerate(around)]
    else:
        made = NOT_LEAKS[kind](r, base, n)
    return [base + max(value, 1 - base) for value in made]
