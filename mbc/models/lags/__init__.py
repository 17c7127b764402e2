"""The parts behind lagged effects: which sessions follow each other, and slopes within persons."""
