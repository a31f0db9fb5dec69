"""VACUUM and ANALYZE by need, off-peak, never in the way of autovacuum."""
