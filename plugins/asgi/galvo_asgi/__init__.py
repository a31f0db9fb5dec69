"""A kernel that lives as long as an ASGI application: Starlette, FastAPI, Django."""
