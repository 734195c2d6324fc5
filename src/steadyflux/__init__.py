"""Steady states, fluxes and entropy production of everything that flows: the public names, loaded when used."""

import lazy_loader

__version__ = "0.1.0"

# The names stand in __init__.pyi. JAX (0.5 s) and pint (0.3 s) are imported by the first name that needs them.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
