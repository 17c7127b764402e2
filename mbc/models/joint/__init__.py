"""The parts behind the joint model of scores and dropout: the risk of leaving, the likelihood, the search."""
