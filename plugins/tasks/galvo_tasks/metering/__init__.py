"""What is measured: waiting, running, retries, failures, depth and age."""
