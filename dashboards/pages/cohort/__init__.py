"""The page on which a researcher downloads a de-identified cohort."""
