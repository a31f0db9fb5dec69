"""What the database says about the tables of a workload: columns, statistics, indexes, sizes, writes."""
