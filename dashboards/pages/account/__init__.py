"""The page about one's own account."""
