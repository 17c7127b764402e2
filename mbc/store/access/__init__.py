"""Who may do what: roles, permissions and password rules."""
