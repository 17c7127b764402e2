"""What the record is made of: tables, column types, record types, digests."""
