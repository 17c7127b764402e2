"""How the database is reached: addresses, connections, keys, frames."""
