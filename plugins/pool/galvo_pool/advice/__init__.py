"""What an operator should know of the connections and the server behind a pool."""
