"""Steady states, fluxes and entropy production of everything that flows: the public names, loaded when used."""

import os
import sys

import lazy_loader

__version__ = "0.1.0"

# The names stand in __init__.pyi. JAX (0.5 s) and pint (0.3 s) are imported by the first name that needs them.
# Its 64-bit floats are switched on here all the same: a program that the user compiles may come first.
os.environ.setdefault("JAX_ENABLE_X64", "1")
if "jax" in sys.modules:
    sys.modules["jax"].config.update("jax_enable_x64", True)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
