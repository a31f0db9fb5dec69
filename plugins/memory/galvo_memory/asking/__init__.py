"""How `galvo memory` asks a running process."""
