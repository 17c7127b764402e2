"""Pages that explain each questionnaire."""
