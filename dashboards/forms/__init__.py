"""Which forms there are to record something of a client: one declaration each."""
