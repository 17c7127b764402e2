"""The client's questionnaire: an application of its own, which has a box and can reach no record."""
