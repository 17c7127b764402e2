"""*Send*: a client is asked to answer on their own device, and the progress of each request."""
