"""The pages on which an administrator manages accounts."""
