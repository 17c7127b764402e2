"""How well forecasts do on clients they have not seen."""
