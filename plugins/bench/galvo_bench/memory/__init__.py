"""What work takes in memory, and what comes back."""
