"""Many clients: the caseload and the clinic's outcomes."""
