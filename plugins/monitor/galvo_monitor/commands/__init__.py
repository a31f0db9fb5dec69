"""The commands of `galvo monitor`: each module's `main(argv)` gives the exit code."""
