"""The meaning of one cell of a file: a number, a date, or a fault."""
