"""Systems of the field particles."""
