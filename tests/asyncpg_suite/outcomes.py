"""What became of each test of a run."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Outcomes:
    tests: dict[str, str] = field(default_factory=dict)
    """passed, failed or skipped, by node id."""
    errors: dict[str, str] = field(default_factory=dict)
    """The last line of what was said about those that failed."""
    collected: list[str] = field(default_factory=list)
    subtests: Counter[str] = field(default_factory=Counter)
    by_chance: list[str] = field(default_factory=list)
    """Those that failed at first and passed when they ran again without the others."""
    made: int = 0
    """Pools of the class under test."""
    seconds: float = 0

    def read(self, record: Path) -> None:
        """Add what plugin.py has written; the test in which its process ended has failed."""
        began = ""
        for line in record.read_text().splitlines():
            match json.loads(line):
                case {"test": test, "outcome": outcome, "error": error}:
                    self._note(test, outcome, error)
                case {"subtest": test, "outcome": outcome, "error": error}:
                    self.subtests[outcome] += 1
                    if outcome == "failed":  # pytest says then that the test itself has passed
                        self._note(test, outcome, error)
                case {"collected": tests}:
                    self.collected = self.collected or tests
                case {"began": test}:
                    began = test
                case {"made": made}:
                    self.made += made
        if began and began not in self.tests:
            self._note(began, "failed", "its process ended: a hang or a crash, see the log")

    def _note(self, test: str, outcome: str, error: str) -> None:
        """A test is heard of several times, for setup, call, teardown and subtests: the worst counts."""
        if self.tests.get(test) != "failed":
            self.tests[test] = outcome
        if outcome == "failed":
            self.errors.setdefault(test, error)

    @property
    def remaining(self) -> list[str]:
        """Tests that were to run and have not."""
        return [test for test in self.collected if test not in self.tests]

    def count(self, outcome: str) -> int:
        return sum(found == outcome for found in self.tests.values())

    @property
    def failed(self) -> list[str]:
        return [test for test, outcome in self.tests.items() if outcome == "failed"]

    def correct(self, again: Outcomes) -> None:
        """What passes when run alone has passed."""
        for test, outcome in again.tests.items():
            if outcome == "passed":
                self.tests[test] = outcome
                self.by_chance.append(test)

    def lost(self, other: Outcomes) -> list[str]:
        """What has passed here and has not in `other`."""
        return [test for test, outcome in self.tests.items() if outcome == "passed" != other.tests.get(test)]
