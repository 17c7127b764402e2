"""How the record is read: tidy frames, provenance, cached scores."""
