"""How the application is put behind a server fit for a clinic: limits, processes, and what goes into the log."""
