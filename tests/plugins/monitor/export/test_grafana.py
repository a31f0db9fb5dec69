"""The dashboard: whole, without overlaps, and of PromQL that Prometheus itself can read."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

from galvo_monitor.catalogue import METRICS
from galvo_monitor.export.grafana import SOURCE, dashboard
from galvo_monitor.names import name
from galvo_monitor.panels.layout import PARTS
from tests.plugins.monitor.export.promtool import promtool


def panels() -> list[dict[str, Any]]:
    return json.loads(json.dumps(dashboard()))["panels"]  # type: ignore[no-any-return]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel.get("targets", ())]


def test_a_panel_for_each_chart() -> None:
    titles = [panel["title"] for panel in panels() if panel["type"] == "timeseries"]
    assert titles == [plot.title for part in PARTS for plot in part.plots]
    assert [panel["title"] for panel in panels() if panel["type"] == "row"] == [part.title for part in PARTS]
    assert len({panel["id"] for panel in panels()}) == len(panels())
    assert all(panel["datasource"] == SOURCE for panel in panels() if panel["type"] != "row")


def test_they_do_not_overlap() -> None:
    def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        return {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}

    assert not any(cells(one) & cells(other) for one, other in combinations(panels(), 2))


def test_it_asks_for_what_is_exported() -> None:
    known = {name(metric) for metric in METRICS.values()}
    for expression in expressions()[1:]:
        [asked] = set(re.findall(r"\b[a-z_]+(?=\{)", expression))
        assert re.sub(r"_(bucket|sum|count)$", "", asked) in known or asked in known, expression
        assert 'job=~"$job"' in expression


def test_prometheus_can_read_it(tmp_path: Path) -> None:
    rules = [{"record": f"r{index}", "expr": one.replace("$__rate_interval", "5m").replace("$job", ".*")}
             for index, one in enumerate(expressions())]  # fmt: skip
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    done = promtool("check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout
