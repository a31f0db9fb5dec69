"""Task queues side by side: who is first, what a task costs its worker and its broker, what asking for one costs."""
