"""From rows to administrations, and why a row is refused."""
