"""The plan of measures: which questionnaires a client is asked, how often, and what is due."""
