"""What is wrong with tables, indexes and sessions, whatever the workload."""
