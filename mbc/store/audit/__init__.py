"""Who did what, when: the audit log, its hash chain, and what remains of erased clients."""
