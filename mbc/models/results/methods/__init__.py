"""What a paper says of each result: the method in sentences, with keys of the publications."""
