"""What Celery is told: preset, checks, plans."""
