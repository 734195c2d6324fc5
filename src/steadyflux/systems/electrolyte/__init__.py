"""Systems of the field electrolyte."""
