"""Tasks that must not run again: lost workers, poison, the dead-letter list."""
