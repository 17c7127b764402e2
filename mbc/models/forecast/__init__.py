"""Expected courses, forecasts and signals."""
