"""The page on which an administrator changes the clinic's settings."""
