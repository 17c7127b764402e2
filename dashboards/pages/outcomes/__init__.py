"""The page of the clinic's outcomes."""
