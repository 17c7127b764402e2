"""A registry: record folders of many clinics, checked and reported together, wherever their rows are."""
