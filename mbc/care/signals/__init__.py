"""The signal ledger: what asked for attention, what was done about it, and what followed."""
