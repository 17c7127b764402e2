"""Change judged from more than two occasions."""
