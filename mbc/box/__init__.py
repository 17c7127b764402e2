"""What clients are asked, and the box for their answers: all that the record and the questionnaire share."""
