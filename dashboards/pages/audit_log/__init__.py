"""The page on which an administrator reads the audit log."""
