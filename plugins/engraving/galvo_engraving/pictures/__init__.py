"""Customers' pictures, and the dots that are burned of them."""
