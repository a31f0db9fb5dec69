"""The shop's tables, step by step: numbered SQL files, each run once, in a transaction of its own."""
