"""The model of the course: its mean, its fluctuation, its fit."""
