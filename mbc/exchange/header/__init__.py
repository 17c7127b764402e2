"""The header of a file: columns, questionnaires, codings, layout."""
