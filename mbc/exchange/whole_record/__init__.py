"""A complete exported record, imported again."""
