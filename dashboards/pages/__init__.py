"""One module per page: its layout, plain functions, and one line per callback."""
