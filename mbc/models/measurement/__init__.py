"""How far a score can be trusted."""
