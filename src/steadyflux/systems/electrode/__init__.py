"""Systems of the field electrode."""
