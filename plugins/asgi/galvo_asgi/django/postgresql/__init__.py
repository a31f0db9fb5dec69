"""`"ENGINE": "galvo_asgi.django.postgresql"`: Django's own backend, which tells galvo's cache what it writes."""
