"""Sentences about what has changed and why, each with its evidence, since when, and how sure."""

from galvo_monitor.insights.facts import Facts, Leak, Refused, Suggestion
from galvo_monitor.insights.gathering import Gathering
from galvo_monitor.insights.insights import Insights
from galvo_monitor.insights.reads import READS
from galvo_monitor.insights.verdict import verdict

__all__ = ["READS", "Facts", "Gathering", "Insights", "Leak", "Refused", "Suggestion", "verdict"]
