"""The synthetic clinic as tables of a record."""
