"""Buffers and expensive objects that are used again."""
