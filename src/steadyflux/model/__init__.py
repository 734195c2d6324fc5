"""The declaration of a problem, its unknowns, and the equation that they obey."""
