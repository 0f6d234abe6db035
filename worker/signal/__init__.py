"""Signal analysis in plain numpy: (n_leads, n_samples) arrays of microvolts in, numbers out. Knows no recording."""
