"""One person's own goals and single-case series."""
