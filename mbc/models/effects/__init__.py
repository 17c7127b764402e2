"""Effect sizes of a group and of a controlled comparison."""
