"""Which questionnaires are due, and how their items are answered."""
