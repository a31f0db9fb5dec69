"""Whether memory grows because something leaks, and what."""
