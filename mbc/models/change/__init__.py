"""The parts behind reliable change and clinical significance: values, norms, formulas, verdicts."""
