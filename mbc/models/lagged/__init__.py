"""Does change in one score precede change in another."""
