"""What change is judged from: scores, norms, distributions, and reasons why not."""
