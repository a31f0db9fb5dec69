"""What a run says: to a terminal, as Markdown, as a page."""
