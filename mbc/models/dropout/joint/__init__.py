"""The joint model of scores and dropout."""
