"""The page on which an administrator erases a person."""
