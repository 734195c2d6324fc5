"""Systems of the field diffusion."""
