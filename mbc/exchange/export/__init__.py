"""How a record leaves: tables, scores, codebook, in each format."""
