"""Alerts: rules, their states, who is told, and the same rules for Prometheus."""

from galvo_monitor.alerts.alerting import Alerting
from galvo_monitor.alerts.defaults import RULES
from galvo_monitor.alerts.engine import Engine
from galvo_monitor.alerts.errors import NotTold, RuleProblem
from galvo_monitor.alerts.rendering import rules_yml
from galvo_monitor.alerts.rule import Rule
from galvo_monitor.alerts.rules import rules_of
from galvo_monitor.alerts.silence import Silence
from galvo_monitor.alerts.source import Source, needed
from galvo_monitor.alerts.statefile import StateFile
from galvo_monitor.alerts.transition import Transition

__all__ = [
    "RULES",
    "Alerting",
    "Engine",
    "NotTold",
    "Rule",
    "RuleProblem",
    "Silence",
    "Source",
    "StateFile",
    "Transition",
    "needed",
    "rules_of",
    "rules_yml",
]
