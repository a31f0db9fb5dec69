"""Which indexes would make a workload faster, within a budget."""
