"""What an import would do to the record, before it does it."""
