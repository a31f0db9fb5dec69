"""What people see: the page at /, the documentation of the API at /docs, and what browsers may do with all answers."""
