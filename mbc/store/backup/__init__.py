"""Copies of the record: make, restore, encrypt."""
