"""Systems of the field astro."""
