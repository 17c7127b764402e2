"""One client: the review before a session."""
