"""The default rules as Prometheus evaluates them, on series as galvo exports them."""

from __future__ import annotations

import json
from pathlib import Path

from galvo_monitor.alerts import RULES, rules_yml
from galvo_monitor.catalogue import metric
from galvo_monitor.names import name
from tests.plugins.monitor.alerts.debian import promtool

LAG, WAIT = "galvo_loop_lag_seconds_bucket", "db_client_connection_wait_time_seconds_bucket"
QUERIES, REQUESTS = "db_client_operation_duration_seconds_count", "http_server_request_duration_seconds_count"


def gauge(of: str, value: float, labels: str = "") -> tuple[str, str]:
    return f"{name(metric(of, 'value'))}{labels}", f"{value:.0f}+0x60"


BAD: dict[str, list[tuple[str, str]]] = {
    "DiskFilling": [gauge("galvo.disk.time_to_full", 3600, '{system_filesystem_mountpoint="/"}')],
    "MemoryShort": [gauge("galvo.memory.level", 2)],
    "MemoryLeak": [gauge("galvo.memory.leak", 5e6)],
    "LoopBlocked": [
        (f'{LAG}{{le="0.1"}}', "0+0x60"),
        (f'{LAG}{{le="1"}}', "0+60x60"),
        (f'{LAG}{{le="+Inf"}}', "0+60x60"),
    ],
    "PoolWait": [
        (f'{WAIT}{{le="1"}}', "0+0x60"),
        (f'{WAIT}{{le="5"}}', "0+60x60"),
        (f'{WAIT}{{le="+Inf"}}', "0+60x60"),
    ],
    "PoolExhausted": [("db_client_connection_timeouts_total", "0+30x60")],
    "QueriesFail": [(f"{QUERIES}{{}}", "0+100x60"), (f'{QUERIES}{{error_type="57014"}}', "0+50x60")],
    "RequestsFail": [
        (f'{REQUESTS}{{http_response_status_code="200"}}', "0+100x60"),
        (f'{REQUESTS}{{http_response_status_code="503"}}', "0+50x60"),
    ],
    "CacheWrong": [('galvo_cache_wrong_hits_total{galvo_cache_reason="unannounced"}', "0+1x60")],
    "QueueOld": [gauge("galvo.tasks.oldest", 1800, '{priority="low",queue="bulk"}')],
    "TasksDead": [gauge("galvo.tasks.dead", 3)],
    "TransactionIdle": [gauge("galvo.database.idle_in_transaction.oldest", 900)],
    "Wraparound": [gauge("galvo.database.xid_age", 1.8e9)],
}
WELL = [
    gauge("galvo.disk.time_to_full", 365 * 86400, '{system_filesystem_mountpoint="/"}'),
    gauge("galvo.memory.level", 0),
    (f'{LAG}{{le="0.1"}}', "0+60x60"),
    (f'{LAG}{{le="+Inf"}}', "0+60x60"),
    (f"{QUERIES}{{}}", "0+100x60"),
    (f'{QUERIES}{{error_type="23505"}}', "0+2x60"),
    ("db_client_connection_timeouts_total", "0+0x60"),
    ('galvo_cache_wrong_hits_total{galvo_cache_reason="unannounced"}', "0+0x60"),
]


def group(rule: str, given: list[tuple[str, str]]) -> dict[str, object]:
    """After a minute nothing fires yet; after 40 `rule` does, and nothing else."""
    alert = f'count by (alertname) (ALERTS{{alertname="{rule}",alertstate="firing"}})'
    all_of_them = 'count by (alertname) (ALERTS{alertstate="firing"})'
    fired = [{"labels": f'{{alertname="{rule}"}}', "value": 1}] if rule else []
    return {
        "interval": "1m",
        "input_series": [{"series": series, "values": values} for series, values in given],
        "promql_expr_test": [
            {"expr": all_of_them, "eval_time": "1m", "exp_samples": []},
            {"expr": alert if rule else all_of_them, "eval_time": "40m", "exp_samples": fired},
            {"expr": all_of_them, "eval_time": "40m", "exp_samples": fired},
        ],
    }


def test_incidents(tmp_path: Path) -> None:
    assert set(BAD) == {rule.name for rule in RULES}
    (tmp_path / "rules.yml").write_text(rules_yml(RULES, 60))
    tests = [group(rule, given) for rule, given in BAD.items()] + [group("", WELL)]
    given = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "test.yml").write_text(json.dumps(given))
    done = promtool("test", "rules", "test.yml", folder=tmp_path)
    assert done.returncode == 0, done.stdout[:4000] + done.stderr[:4000]
