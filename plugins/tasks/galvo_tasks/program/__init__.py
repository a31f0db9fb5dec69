"""The process of `galvo tasks worker`: its banner, its log, its end."""
