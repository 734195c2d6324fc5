"""Systems of the field reaction."""
