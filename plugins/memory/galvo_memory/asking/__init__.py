"""How `galvo memory` asks a running process: an abstract Unix socket, which leaves no file behind."""
