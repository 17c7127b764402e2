"""The parts behind sensitivity to dropout: who is missing, what their scores could have been, how to pool."""
