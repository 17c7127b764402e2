"""The synthetic clients and their lives."""
