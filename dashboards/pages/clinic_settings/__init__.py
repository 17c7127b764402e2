"""The page on which an administrator says what holds for the clinic."""
