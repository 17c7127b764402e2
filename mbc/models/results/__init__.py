"""How does a result explain itself: as a table, in words, on a page, and as a paragraph of a paper."""
