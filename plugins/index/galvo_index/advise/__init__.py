"""Which indexes would make a workload faster, within a budget."""

from galvo_index.advise.advice import Advice, Gain, Verified
from galvo_index.advise.advisor import Report, advise, consult

__all__ = ["Advice", "Gain", "Report", "Verified", "advise", "consult"]
