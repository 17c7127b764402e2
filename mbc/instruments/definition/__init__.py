"""What a questionnaire is: its definition file, checked."""
