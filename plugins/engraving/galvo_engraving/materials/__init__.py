"""Materials and how a laser works on them."""
