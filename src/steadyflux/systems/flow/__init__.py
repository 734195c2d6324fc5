"""Systems of the field flow."""
