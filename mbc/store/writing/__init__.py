"""How the record is written: one transaction, duplicates, corrections, seals."""
