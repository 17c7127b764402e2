"""A fitted growth curve: its estimates, its predictions, its tests and intervals."""
