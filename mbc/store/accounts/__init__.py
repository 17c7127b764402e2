"""Who may sign in, and emergency access to a single record."""
