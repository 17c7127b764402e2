"""Synthetic twins of de-identified cohorts: fitted to aggregates, drawn from a seed, measured."""
