"""Tasks that run: coroutines, a kernel in each worker process, retries."""
