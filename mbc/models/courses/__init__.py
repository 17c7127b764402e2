"""The parts behind the course of a client: sessions side by side, sudden gains, plateaus, setbacks."""
