"""The mixed model with the formula and results of statsmodels."""
