"""Ions that cross a membrane in a constant electric field: fluxes, currents, reversal potential.

Seeds: A, B

A membrane of thickness L separates an inside (x = 0) from an outside (x = L). Each ion diffuses down its concentration and
drifts in the field E = V / L, where V is the potential inside minus outside. Goldman (1943) assumed that the field is
constant; Hodgkin and Katz (1949) made of it the equation by which physiologists read a resting potential.

Equations

    J = -D (dc/dx - (z F E / R T) c),   dJ/dx = 0,   c(0) = inside, c(L) = outside
    J = P v (c_in e^v - c_out) / (e^v - 1),   v = z F V / R T,   P = D / L         (Goldman, Hodgkin and Katz)

Fluxes and currents count as positive from the inside to the outside. Concentrations are those just inside the membrane, so
that a permeability includes the partition. The current density is F sum z J. The reversal potential is found by letting
the potential inside float until no net current flows: with monovalent ions this is the Goldman equation, with divalent ones
there is no closed form.

What to look for

- The flux of a charged ion is not proportional to the concentration difference: outward current is easier than inward
  current when the ion is concentrated inside (rectification).
- Drift and diffusion at the mid-plane are often both much larger than the net flux (`drift_share`, `diffusion_share`, both
  in mol/m^2/s; their sum is the flux).
- The two one-way fluxes, as tracers would measure them, have the ratio (c_in / c_out) e^v of Ussing (1949), whatever the
  membrane is made of.
- `dissipation` is the free energy lost, sum of J times the drop of the electrochemical potential. It is infinite where an
  ion is altogether absent on one side.

Limits

The field is given, not computed: the membrane holds too few charges to bend it. The system `nanochannel` computes the field.
`reversal_potential` and `reversal_conductance` are left out where no potential stops the current (no charged ion, or ions
that can only leave).

Sources: D. E. Goldman, J. Gen. Physiol. 27 (1943) 37; A. L. Hodgkin and B. Katz, J. Physiol. 108 (1949) 37; H. H. Ussing,
Acta Physiol. Scand. 19 (1949) 43; D. L. Scharfetter and H. K. Gummel, IEEE Trans. Electron Devices 16 (1969) 64 (the edge
flux, exact here on any mesh).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np
from matplotlib.figure import Figure

import steadyflux as sf
from steadyflux.ground.constants import FARADAY, R
from steadyflux.ground.errors import InputError
from steadyflux.systems.system import Choice, Claim, Comparison, Numbers, Parameter, Result, System, Table, Values

_ = Choice
