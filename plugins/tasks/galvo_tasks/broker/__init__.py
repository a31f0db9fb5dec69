"""Redis and RabbitMQ, as tasks see them."""
