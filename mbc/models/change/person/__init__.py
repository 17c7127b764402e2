"""Change of one person between two occasions."""
