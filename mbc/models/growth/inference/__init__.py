"""Intervals, tests, predictions and client courses of a fitted growth model."""
