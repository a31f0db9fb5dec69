"""What `galvo new` writes: a complete plugin, from the templates beside this file."""
