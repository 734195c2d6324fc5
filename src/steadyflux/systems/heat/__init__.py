"""Systems of the field heat."""
