"""Users' projects: parts, revisions, jobs."""
