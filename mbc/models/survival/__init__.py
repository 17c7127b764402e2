"""Time until reliable change."""
