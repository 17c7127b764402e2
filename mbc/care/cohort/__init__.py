"""De-identified cohorts for research."""
