"""Scores of the answers on record."""
