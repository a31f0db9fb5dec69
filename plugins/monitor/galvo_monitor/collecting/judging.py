"""What the numbers mean: alerts, insights, and a verdict."""

from __future__ import annotations

from collections.abc import Iterable

from galvo import Context
from galvo_monitor.collecting.alerting import alerting_of
from galvo_monitor.collecting.gathers import Gathers
from galvo_monitor.collecting.problems import Problems
from galvo_monitor.insights import Gathering, Insights, verdict
from galvo_monitor.settings import MonitorSettings
from galvo_monitor.store import Store
from galvo_monitor.view import Alert, Insight, Status


class Judging:
    def __init__(self, settings: MonitorSettings, context: Context, gathers: Gathers) -> None:
        self._gathers = gathers
        self.alerting = alerting_of(settings, context)
        self._gathering = Gathering(context)
        self._insights = Insights(interval=settings.interval)
        self._problems = Problems()

    async def judge(
        self, at: float, store: Store, problems: Iterable[str | None]
    ) -> tuple[list[Alert], list[Insight], Status, str]:
        """Once for each interval. `at`: seconds since the epoch; `problems`: sentences, of the monitor itself."""
        alerts = await self.alerting.judge(at, store)
        facts = self._gathering.facts(self._gathers.system, self._gathers.database)
        insights = self._insights.look(at, store, facts)
        insights += self._problems.told(at, [*self._gathers.problems, *problems])
        return alerts, insights, *verdict(alerts, insights)
