"""The examples are distributions of their own: their tests run where they are installed, in test_downstream.py."""

collect_ignore = ["replicas", "tagger", "webhook"]
