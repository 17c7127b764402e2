"""From answers to scores, bands and flags."""
