"""Files that are no plain text: workbooks, SPSS, Parquet, REDCap, FHIR, each read into tables of text."""
