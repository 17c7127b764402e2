"""Work on the record as a unit: erasure and verification."""
