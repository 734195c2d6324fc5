"""Array types with named axes, checked at run time while tests run: what a shape means is said once, here."""

from typing import TypeAlias

import numpy as np
from jax import Array
from jaxtyping import Bool, Float, Int

AnyArray: TypeAlias = Array | np.ndarray
"""An array of JAX, traced or not, or of NumPy."""

Scalar: TypeAlias = Float[AnyArray, ""] | float
Cells: TypeAlias = Float[AnyArray, "cells"]
"""One number for each cell."""
Edges: TypeAlias = Float[AnyArray, "edges"]
"""One number for each edge."""
CellVectors: TypeAlias = Float[AnyArray, "cells dim"]
EdgeVectors: TypeAlias = Float[AnyArray, "edges dim"]
CellStates: TypeAlias = Float[AnyArray, "cells unknowns"]
"""The unknowns of each cell, in the order of the model's quantities."""
EdgeFluxes: TypeAlias = Float[AnyArray, "edges unknowns"]
CellIndices: TypeAlias = Int[AnyArray, "some_cells"]
EdgeIndices: TypeAlias = Int[AnyArray, "edges"]
"""For each edge the index of a cell: its tail, or its head."""
CellMask: TypeAlias = Bool[AnyArray, "cells"]
