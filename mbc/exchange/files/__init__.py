"""How files of each format are read as one table of text, and written safely."""
