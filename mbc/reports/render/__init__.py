"""How a document becomes PDF and HTML."""
