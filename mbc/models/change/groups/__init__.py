"""Change of a group, rates of change, and methods compared."""
