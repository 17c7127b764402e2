"""How a client is asked on their own device, and how the answers come on record."""
