"""The plan of an import: its effect on the record, before it happens."""
