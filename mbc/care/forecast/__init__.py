"""Expected courses and signals of a clinic's clients."""
