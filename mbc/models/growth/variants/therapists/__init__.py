"""Growth of clients within therapists: the likelihood, its search, and what it says."""
