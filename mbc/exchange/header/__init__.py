"""What the header of a file says: columns, questionnaires, codings, layout."""
