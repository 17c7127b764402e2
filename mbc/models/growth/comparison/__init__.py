"""Which of two fitted models the same scores support."""
