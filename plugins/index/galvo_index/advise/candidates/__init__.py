"""Which indexes could help a statement, whether or not they are worth it."""
