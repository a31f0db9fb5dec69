"""How many tasks run at once: what the machine has, and what memory allows now."""
