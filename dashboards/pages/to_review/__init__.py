"""The page of open safety flags."""
