"""What sets of indexes do to a workload: galvo's advice, its peers' and none, on one PostgreSQL, plan by plan."""
