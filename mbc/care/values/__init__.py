"""Frozen values that pages, figures and reports share."""
