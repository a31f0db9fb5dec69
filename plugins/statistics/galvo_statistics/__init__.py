"""Robust statistics of short series, in plain Python: SciPy would cost 87 MiB and a second to import."""

from galvo_statistics.series import Series, kendall, long_run_variance, student, theil_sen

__all__ = ["Series", "kendall", "long_run_variance", "student", "theil_sen"]
