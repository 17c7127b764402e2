"""Growth with serial, heavy-tailed or grouped residuals, two outcomes, or therapists."""
