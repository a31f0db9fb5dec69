"""What the machine and the process say of memory: cheap to read, every few seconds."""
