"""Whether memory grows because something leaks, and what."""

from galvo_memory.verdict.detector import Detector, Verdict
from galvo_memory.verdict.investigate import Finding, investigate
from galvo_memory.verdict.window import Line, WindowRefused, window

__all__ = ["Detector", "Finding", "Line", "Verdict", "WindowRefused", "investigate", "window"]
