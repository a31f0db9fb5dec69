"""What a run has found, on which machine; kept, and compared with another."""
