"""Whether memory grows because something leaks, and what."""

from galvo_memory.verdict.detector import Detector, Verdict
from galvo_memory.verdict.finding import Finding, investigate
from galvo_memory.verdict.windows import Line, WindowRefused, window

__all__ = ["Detector", "Finding", "Line", "Verdict", "WindowRefused", "investigate", "window"]
