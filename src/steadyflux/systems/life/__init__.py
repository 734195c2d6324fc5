"""Systems of the field life."""
