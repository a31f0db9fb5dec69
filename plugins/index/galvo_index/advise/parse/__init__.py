"""From a statement's tree to what it does with each column of each table."""
