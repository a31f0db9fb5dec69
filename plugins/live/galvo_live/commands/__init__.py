"""`galvo enable`, `disable`, `reload`, `changes`: asked of a running application."""
