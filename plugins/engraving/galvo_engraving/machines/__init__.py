"""The shop's machines."""
