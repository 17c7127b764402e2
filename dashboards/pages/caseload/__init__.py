"""The caseload page."""
