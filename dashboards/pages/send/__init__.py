"""*Send*: a client is asked to answer on their own device, and how far each asking has come."""
