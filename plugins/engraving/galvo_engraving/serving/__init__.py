"""Runs the application: servers, processes, switches."""
