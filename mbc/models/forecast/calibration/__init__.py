"""How far forecasts can be trusted, judged on clients left out of the fit."""
