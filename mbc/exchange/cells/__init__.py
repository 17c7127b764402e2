"""What one cell of a file says: a number, a day, or a fault."""
