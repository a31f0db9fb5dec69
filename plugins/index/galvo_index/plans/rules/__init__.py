"""What can be wrong with a plan: a module a rule, each with `find(case)`."""
