"""Box templates: what can be made, and what each asks for."""
