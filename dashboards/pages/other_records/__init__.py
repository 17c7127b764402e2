"""The page of emergency access to other records."""
