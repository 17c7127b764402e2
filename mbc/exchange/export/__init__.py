"""Export of a record: tables, scores, codebook, in each format."""
