"""What does a result of mbc.models look like: one function for each kind, from the frozen result to its marks."""
