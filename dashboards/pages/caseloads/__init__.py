"""The page on which an administrator assigns clients to clinicians."""
