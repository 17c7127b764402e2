"""From tables to each client's cross-products."""
