"""The parts behind the statistics of couples."""
