"""What would a statement cost with other indexes than those there are."""
