"""The commands of `galvo index`, a module each."""
