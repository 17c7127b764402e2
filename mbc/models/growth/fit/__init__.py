"""The deviance, its optimum, and what the optimum says."""
