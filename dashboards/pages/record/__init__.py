"""The pages on which something is recorded of a client."""
