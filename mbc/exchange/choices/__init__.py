"""What the choices of a question count as, and in which direction they run."""
