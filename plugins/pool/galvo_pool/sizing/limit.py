"""How many connections may be busy at once: as many as make the server do more, and no more.

The first rule is Kleinrock's: a system is best used where its latency is about twice that of the empty system
(L. Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications", ICC
1979). It says within seconds about how many that is. Around the knee latency says too little (on a client whose own
thread is the bottleneck it lies far off), so there two limits are tried in turns, and throughput decides.

Time here is a statement's time on the wire, from sending it to its last row: how long the application holds a
connection says nothing about the server.
"""

from __future__ import annotations

from math import ceil, sqrt

from galvo_pool.sizing.probe import QUIET, TICK, Probe, Schedule
from galvo_pool.sizing.reasons import SENTENCES, Reason
from galvo_pool.sizing.statements import TRUSTED, Statements, Window
from galvo_pool.sizing.trial import LARGE, PACE, STEP, Rounds, Trial

EVERY = TICK
"""Seconds between ticks, outside of trials."""
FREE = 1.25
"""Below this ratio of statement time to baseline the server is not even busy: double."""
LEAST, KNEE = 1.35, 1.7
"""It grows by a quarter below 1 + 1 / sqrt(connections the server makes use of), but not outside of these: 1.7 for
two cores, less for more of them, which even out (square-root staffing)."""
TWICE = 2.0
"""Below this ratio more of them may help much."""
TOP = 4.0
"""Above this ratio it shrinks at once. In between, trials decide."""
CALM = 8
"""Ticks without waiters after which what is not used is given back."""
LIGHT = 0.06
"""How far a turn's times are believed: it is a fifth of a tick."""
STUCK = 4
"""Ticks in which nothing ended and tasks wait, after which one more connection is tried."""
COOLING = 4
"""Ticks without growth after it has shrunk."""


class Limit:
    """A limit in [low, high]. Reads no clock: `tick` is its time, every `pace` seconds.

    Raises ValueError when low < 1 or high < low.
    """

    __slots__ = (
        "_calm", "_cooling", "_high", "_low", "_peak", "_probe", "_probes", "_ratio", "_reason", "_rounds",
        "_seen", "_start", "_statements", "_stuck", "_trial", "record", "value",
    )  # fmt: skip

    def __init__(self, low: int, high: int, start: int) -> None:
        self._statements = Statements()
        self.record = self._statements.record
        """`record(sql, seconds)` after each statement: its time on the wire."""
        self.value = self._start = start
        self._reason: Reason = "start"
        self._ratio = 0.0
        """Statement time to baseline, smoothed; 0: not known at this value."""
        self._probe: Probe | None = None
        self._probes = Schedule()
        self._trial: Trial | None = None
        self._rounds = Rounds()
        self._cooling = self._calm = self._stuck = self._seen = 0
        self._peak = 0.0
        self.bounds(low, high)

    def bounds(self, low: int, high: int) -> None:
        """The limit stays within these from now on. Raises ValueError when low < 1 or high < low."""
        if not 1 <= low <= high:
            raise ValueError(f"no limit lies within {low} to {high}: 1 <= low <= high is needed")
        self._low, self._high = low, high
        if self._trial is not None:
            self._become(self._trial.home, "moved")
            self._trial = None
        self.value = self._within(self.value)

    def tick(self, *, now: float, waiting: int, busy: int, failing: bool = False) -> int:
        """The new limit.

        `now`: seconds of any clock; `waiting` tasks and `busy` connections: the most at once since the last tick;
        `failing`: the last connection could not be opened.
        """
        if self._trial is not None:
            self._trying(self._trial, now, waiting, busy, failing)
            return self.value
        self._probes.since += 1
        self._cooling -= 1
        self._calm = 0 if waiting else self._calm + 1
        self._peak = max(busy + waiting, self._peak * 0.9)
        count = self._statements.count()
        if self._probe is not None:
            self._probing(self._probe, count, waiting)
        elif count >= max(TRUSTED, self.value if waiting else 0):  # else most of it began under another limit
            self._stuck = self._seen = 0
            self._decide(self._statements.window(quiet=busy <= QUIET), now, waiting, busy, failing)
        elif waiting and busy >= self.value and not failing:
            self._wait(count)
        if self._calm >= CALM and self._probe is None:
            self._give_back()
        return self.value

    @property
    def pace(self) -> float:
        """Seconds until the next tick."""
        return EVERY if self._trial is None else PACE

    def explain(self) -> str:
        """Why the limit is what it is, in a sentence."""
        trial = self._trial
        low, high = (trial.low, trial.high) if trial is not None else (0, 0)
        why = SENTENCES[self._reason].format(ratio=self._ratio, low=low, high=high)
        return f"{self.value} connection{'s' if self.value > 1 else ''} may be busy at once: {why}."

    def _decide(self, window: Window, now: float, waiting: int, busy: int, failing: bool) -> None:
        ratio = self._ratio = (self._ratio + window.ratio) / 2 if self._ratio and window.ratio else window.ratio
        knee = max(LEAST, min(KNEE, 1 + 1 / sqrt(self.value / max(1.0, ratio))))
        self._rounds.tick(ratio)
        if failing:
            self._reason = "failing"
        elif busy < self.value:
            self._reason = "enough"
        elif self._within(QUIET) < self.value and self._probes.due(
            self.value, window, waiting=waiting, crowded=ratio > TOP
        ):
            self._probe = self._probes.begin(self.value, window, crowded=ratio > TOP)
            self._become(self._probe.at, "probe")
        elif ratio > TOP:
            self._become(int(self.value * max(0.7, knee / ratio)), "shrink")
            self._cooling = COOLING
        elif ratio >= knee:
            self._compare(self.value + waiting, now)
        elif not waiting:
            self._reason = "enough"
        elif self.value >= self._high:
            self._reason = "bounds"
        elif self._rounds.more_is_no_better:
            self._settle()
        elif self._rounds.resting:  # the last trials are believed, however idle the server seems
            self._reason = "knee"
        elif ratio < FREE and self._cooling <= 0:
            self._become(self.value * 2, "free")
        elif self._cooling <= 0:
            self._become(max(self.value + 1, int(self.value * 1.25)), "grow")

    def _become(self, value: int, reason: Reason) -> None:
        self.value, self._reason = self._within(value), reason

    def _within(self, value: int) -> int:
        return max(self._low, min(self._high, value))

    def _wait(self, count: int) -> None:
        """All are busy and tasks wait: locks, or very long statements."""
        self._stuck = self._stuck + 1 if count == self._seen else 0
        self._seen = count
        if self._stuck >= STUCK:
            self._stuck = 0
            self._become(self.value + 1, "stuck")

    def _give_back(self) -> None:
        enough = max(self._start, ceil(self._peak))
        if self.value > enough:
            self._become(max(enough, int(self.value * 0.9)), "calm")

    # -- probes: what statements take on a quiet server -----------------------------------------------

    def _probing(self, probe: Probe, count: int, waiting: int) -> None:
        probe.ticks += 1
        if probe.ticks == 1:
            self._statements.drop()  # they began before it
            if waiting and probe.in_vain(count):
                self._probe = None
                self._become(probe.before, "long")
        elif count >= TRUSTED or not waiting or probe.over:
            quiet = self.value <= max(QUIET, self._low)
            self._ratio = self._probes.end(probe, self._statements, quiet=quiet)
            self._probe = None
            self._become(probe.before, "probed")

    # -- trials: whether the server does more with more -----------------------------------------------

    def _compare(self, wanted: int, now: float) -> None:
        """Begin a trial, unless the last ones have just ended."""
        up = LARGE if self._ratio < TWICE else STEP
        more = self._within(min(wanted, ceil(self.value * up)))
        less = self._within(max(QUIET, int(self.value / STEP)))
        if self._rounds.resting:
            self._reason = "knee"
        elif more > self.value and not self._rounds.more_is_no_better:
            self._try(Trial(self.value, more, self.value, now))
        elif less < self.value:
            self._try(Trial(less, self.value, self.value, now))
        else:
            self._settle()

    def _try(self, trial: Trial) -> None:
        self._trial = trial
        self._become(trial.value, "trial")

    def _trying(self, trial: Trial, now: float, waiting: int, busy: int, failing: bool) -> None:
        trial.seen(now, waiting, busy)
        count = self._statements.count()
        if failing:
            self._not_needed(trial)
        elif trial.in_vain(now):
            self._rounds.more_is_no_better = trial.home == trial.low
            self._not_needed(trial)
        elif trial.settled(now, count):
            self._statements.drop()  # they began under the other limit
        elif trial.over(now, count):
            work = self._statements.window(quiet=self.value <= QUIET, weight=LIGHT).work
            if trial.used and work:
                self._turned(trial, trial.turn(now, work))
            else:
                self._not_needed(trial)

    def _not_needed(self, trial: Trial) -> None:
        """Nobody would make use of more."""
        self._trial = None
        self._become(trial.home, "enough")

    def _turned(self, trial: Trial, better: int) -> None:
        if not better:
            self._become(trial.value, "trial")
            return
        self._trial = None
        self._become(better, "tried")
        if self._rounds.ended(trial, better):
            self._settle()
        self._ratio = 0.0  # it was of another limit

    def _settle(self) -> None:
        self._reason = "knee" if self._ratio else "tried"
        self._rounds.settle(self._ratio)
