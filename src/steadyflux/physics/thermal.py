"""Heat coupled to charge and to matter: Seebeck, Peltier and Thomson; Soret and Dufour.

Both laws move whole energy with what else moves, so that Joule, Peltier and Thomson heats and heats of transport need
no source. Their coefficients are exact means along the way between two states, and a state of rest on an edge is then
the exact one: the Seebeck voltage of a temperature difference, the separation of a Soret cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from steadyflux.ground.errors import ModelError
from steadyflux.ground.units import si
from steadyflux.physics.coupled import VANISHING, Coupled
from steadyflux.physics.diffusion import Coefficient, Polynomial
from steadyflux.physics.law import Law, replace, static
from steadyflux.physics.local import Geometry, Local
from steadyflux.physics.means import log_mean, path_mean
from steadyflux.physics.phase import Concentrations, Phase
from steadyflux.physics.quantity import Quantity
from steadyflux.space.space import evaluate


def of_temperature(unit: str, what: str, **options: Any) -> Any:
    """A property in SI ``unit``: a number or text, one value per edge, the coefficients of a polynomial in T/K (a
    tuple, ascending powers), a `Coefficient` of the temperature, or a function of the position."""
    return eqx.field(
        converter=lambda value: _property(value, unit, what), metadata={"unit": unit, "what": what}, **options
    )


def _property(value: Any, unit: str, what: str) -> Any:
    if isinstance(value, Coefficient) or callable(value):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        return Polynomial(tuple(si(c, unit, f"coefficient of the {what}") for c in value))
    return Polynomial((si(value, unit, what),))


def _placed(law: Any, positions: Any, fields: Sequence[str]) -> Any:
    """The law with the properties that are functions of the position evaluated on its edges."""
    count = int(np.shape(positions)[0])
    changes: dict[str, Any] = {}
    for name in fields:
        value, meta = getattr(law, name), law.__dataclass_fields__[name].metadata
        if not isinstance(value, Coefficient):
            changes[name] = Polynomial((si(evaluate(value, positions), meta["unit"], meta["what"]),))
        elif value.varies_by_edge:
            for leaf in jax.tree_util.tree_leaves(value):
                if np.ndim(leaf) and np.shape(leaf) != (count,):
                    raise ModelError(
                        f"The {meta['what']} has {np.shape(leaf)} values; give one number or {count}, one for each "
                        "edge."
                    )
    return replace(law, **changes)


class Thermoelectric(Coupled):
    """Heat and charge in a conductor: Seebeck, Peltier, Thomson and Joule in one symmetric matrix (Onsager 1931).

        I   = (area / length) (phi_t - phi_h + S (T_t - T_h)) / rho
        J_E = (area / length) k (T_t - T_h) + (S T + phi) I

    with the whole energy J_E (heat q plus phi I) conjugate to 1/T and the current to -phi/T: L_II = T / rho,
    L_EI = (S T + phi) L_II, L_EE = k T^2 + (S T + phi)^2 L_II (de Groot and Mazur 1962, ch. XIII; Callen 1948).
    Kelvin's relations Pi = S T and tau = T dS/dT are part of it. phi is the electrochemical potential of the carriers
    over their charge, continuous where materials meet.

    Args:
        seebeck: Seebeck coefficient S, V/K. Each property is a number, one value per edge, a tuple of the coefficients
            of a polynomial in T, a `Coefficient` of T, or a function of the position.
        resistivity: electric resistivity rho, Ohm m.
        conductivity: thermal conductivity k at zero current, W/(m K).
        temperature, potential: names of the two quantities.

    Mesh means: S and k over the way from T_t to T_h, rho too; T of L_EI/L_II the arithmetic mean. With constant
    properties the temperatures at the nodes are then exact on any mesh.
    """

    seebeck: Any = of_temperature("V/K", "Seebeck coefficient")
    resistivity: Any = of_temperature("ohm*m", "electric resistivity")
    conductivity: Any = of_temperature("W/(m*K)", "thermal conductivity")
    temperature: str = static(default="T", kw_only=True)
    potential: str = static(default="phi", kw_only=True)

    def __init__(
        self,
        seebeck: Any,
        resistivity: Any,
        conductivity: Any,
        *,
        temperature: str = "T",
        potential: str = "phi",
        on: str = "interior",
        symmetry: str = "isotropic",
    ) -> None:
        self.seebeck = _property(seebeck, "V/K", "Seebeck coefficient")
        self.resistivity = _property(resistivity, "ohm*m", "electric resistivity")
        self.conductivity = _property(conductivity, "W/(m*K)", "thermal conductivity")
        self.temperature, self.potential = temperature, potential
        self.quantities = (temperature, potential)
        self.on, self.symmetry = on, symmetry

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Evaluate properties that vary with the position."""
        placed = _placed(self, positions, ("seebeck", "resistivity", "conductivity"))
        return Coupled.bound(placed, quantities, positions)

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """L of (J_E, I) between 1/T and -phi/T: W K/m, A K/m and A K/(V m)."""
        T, phi = mean[self.temperature], mean[self.potential]
        charge = T / self.resistivity(T)
        carried = self.seebeck(T) * T + phi
        across = carried * charge
        return jnp.stack(
            [
                jnp.stack([self.conductivity(T) * T * T + carried * across, across]),
                jnp.stack([across, charge]),
            ]
        )

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Energy, W, and current, A, from tail to head.

        L dy with T / rho taken at the harmonic mean temperature, T^2 k at the geometric and S T at the arithmetic one,
        in the form in which nothing cancels: Delta(phi/T) is mean(1/T) Delta(phi) + mean(phi) Delta(1/T).
        """
        a, b = tail[self.temperature], head[self.temperature]
        u, v = tail[self.potential], head[self.potential]
        seebeck = self.seebeck.mean(a, b)
        current = edge.conductor * (u - v + seebeck * (a - b)) / self.resistivity.mean(a, b)
        heat = edge.conductor * self.conductivity.mean(a, b) * (a - b)
        carried = 0.5 * (seebeck * (a + b) + u + v)
        return {self.temperature: heat + carried * current, self.potential: current}


class Thermodiffusion(Coupled):
    """A species and heat in a mixture: Fick, Soret, Fourier and Dufour in one symmetric matrix (de Groot and Mazur).

        J   = -D (grad c + S_T c (1 - c/c_pure) grad T)
        J_E = -k grad T + (Q* + h) J,        Q* = L_1q / L_11 = S_T T^2 c (1 - c/c_pure) g

    J is the species' flux in the frame in which the mixture is at rest, g = -(dy/dc)_T the curvature of the phase's
    free energy over T, and h = T^2 (dy/dT)_c the enthalpy that a mole carries, both found from the model's phase by
    automatic differentiation. L_11 = D/g, L_1q = D S_T c (1 - c/c_pure) T^2, L_qq = k T^2 + L_1q^2/L_11 (de Groot and
    Mazur 1962, ch. XI). The second law asks for nothing but positive D and k, since k is measured at zero flux.

    Args:
        species: name of the species.
        diffusivity: D, m^2/s. Each property is a number, one value per edge, a tuple of the coefficients of a
            polynomial in T, a `Coefficient` of T, or a function of the position.
        soret: Soret coefficient S_T = D_T / D, 1/K; positive where the species goes to the cold side.
        conductivity: thermal conductivity k at zero flux of matter, W/(m K).
        pure: concentration of the pure species c_pure, mol/m^3; without it the solution is dilute (1 - c/c_pure is 1).
        function: instead of plain numbers, a function of the state (a mapping with the species and "T") that
            returns {"diffusivity": ..., "soret": ...}, either or both.

    Mesh means: where nothing flows, ln(c / (c_pure - c)) falls by S_T times the temperature difference exactly.
    """

    species: str = static()
    diffusivity: Any = of_temperature("m^2/s", "diffusivity")
    soret: Any = of_temperature("1/K", "Soret coefficient")
    conductivity: Any = of_temperature("W/(m*K)", "thermal conductivity")
    pure: Any = None
    function: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = static(default=None)
    temperature: str = static(default="T")

    def __init__(
        self,
        species: str,
        diffusivity: Any,
        soret: Any,
        conductivity: Any,
        *,
        pure: Any = None,
        function: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
        temperature: str = "T",
        on: str = "interior",
        symmetry: str = "isotropic",
    ) -> None:
        self.species, self.temperature = species, temperature
        self.diffusivity = _property(diffusivity, "m^2/s", "diffusivity")
        self.soret = _property(soret, "1/K", "Soret coefficient")
        self.conductivity = _property(conductivity, "W/(m*K)", "thermal conductivity")
        self.pure = None if pure is None else si(pure, "mol/m^3", "concentration of the pure species")
        self.function = function
        self.quantities = (species, temperature)
        self.on, self.symmetry = on, symmetry

    def bound(self, quantities: Mapping[str, Quantity], positions: Any) -> Law:
        """Evaluate properties that vary with the position; refuse a species that fields act on."""
        q = quantities.get(self.species)
        if q is not None and (q.charge or q.external is not None):
            raise ModelError(f"Thermodiffusion moves neutral species; {self.species} is moved by a field too.")
        placed = _placed(self, positions, ("diffusivity", "soret", "conductivity"))
        return Coupled.bound(placed, quantities, positions)

    def _rest(self, c: Any) -> Any:
        """Share of the mixture that is not the species, 1 - c/c_pure."""
        return 1.0 if self.pure is None else 1.0 - c / self.pure

    def _potential(self, like: Local, c: Any, inverse: Any) -> Any:
        """The species' conjugate potential y at a concentration and an inverse temperature."""
        values = {n: like[n] for n in like.known} | {self.species: c, self.temperature: 1.0 / inverse}
        return like.with_values(values).conjugate(self.species)

    def _slopes(self, like: Local, c: Any, inverse: Any) -> tuple[Any, Any]:
        """F = -c (1 - c/c_pure) (dy/dc)_T, J/(mol K), and the enthalpy h = -(dy/d(1/T))_c, J/mol."""
        by_c, by_inverse = jax.grad(lambda x, b: self._potential(like, x, b), argnums=(0, 1))(c, inverse)
        return -c * self._rest(c) * by_c, -by_inverse

    def _transport(self, tail: Local, head: Local) -> tuple[Any, Any]:
        """Diffusivity and Soret coefficient between two states."""
        a, b = tail[self.temperature], head[self.temperature]
        found = {"diffusivity": self.diffusivity.mean(a, b), "soret": self.soret.mean(a, b)}
        if self.function is not None:
            found |= _mean_of(self.function, tail, head, self.temperature)
        return found["diffusivity"], found["soret"]

    def coefficients(self, mean: Local, edge: Geometry) -> Any:
        """L of (J, J_E) between -mu/T and 1/T."""
        c, T = mean[self.species], mean[self.temperature]
        F, h = self._slopes(mean, c, 1.0 / T)
        D, soret = self._transport(mean, mean)
        matter = D * c * self._rest(c) / F
        carried = soret * T * T * F + h
        across = carried * matter
        return jnp.stack(
            [
                jnp.stack([matter, across]),
                jnp.stack([across, self.conductivity(T) * T * T + carried * across]),
            ]
        )

    def flux(self, tail: Local, head: Local, edge: Geometry) -> dict[str, Any]:
        """Amount, mol/s, and energy, W, from tail to head.

        L dy with F and h averaged along a straight way in ln(c / (c_pure - c)) and 1/T, so that the rise of y is
        -F Delta(ln(c / (c_pure - c))) - h Delta(1/T), and c (1 - c/c_pure) by its mean along it.
        """
        c, d = (jnp.maximum(end[self.species], VANISHING) for end in (tail, head))
        a, b = tail[self.temperature], head[self.temperature]
        D, soret = self._transport(tail, head)
        mixed, middle = self._between(c, d)
        F, h = path_mean(lambda s: jnp.stack(self._slopes(tail, middle(s), (1 - s) / a + s / b)), 0.0, 1.0)
        J = edge.conductor * D * (tail[self.species] - head[self.species] + soret * mixed * (a - b))
        heat = edge.conductor * self.conductivity.mean(a, b) * (a - b)
        return {self.species: J, self.temperature: heat + (soret * a * b * F + h) * J}

    def _between(self, c: Any, d: Any) -> tuple[Any, Callable[[Any], Any]]:
        """Mean of c (1 - c/c_pure) between two concentrations, and the concentration on the way, from 0 to 1."""
        if self.pure is None:
            return log_mean(c, d), lambda s: c ** (1 - s) * d**s
        # With r = c/(c_pure - c) the way is r_c^(1-s) r_d^s; the mean is Delta c / Delta ln r, written so that equal
        # ends are no exception: (r_c - r_d) / ln(r_c / r_d) over (1 + r_c)(1 + r_d).
        p, q = (jnp.maximum(x, VANISHING) / jnp.maximum(self.pure - x, VANISHING) for x in (c, d))

        def on_the_way(s: Any) -> Any:
            r = p ** (1 - s) * q**s
            return self.pure * r / (1.0 + r)

        return self.pure * log_mean(p, q) / ((1.0 + p) * (1.0 + q)), on_the_way


def _mean_of(function: Callable[..., Mapping[str, Any]], tail: Local, head: Local, temperature: str) -> dict[str, Any]:
    """Mean of what a function of the state returns, along the straight way between two states."""

    def at(s: Any) -> dict[str, Any]:
        state = {n: (1 - s) * tail[n] + s * head[n] for n in tail.known}
        return dict(function(state | {"T": state[temperature]}))

    keys = tuple(jax.eval_shape(at, jnp.zeros(())))
    values = path_mean(lambda s: jnp.stack([jnp.asarray(at(s)[k], dtype=float) for k in keys]), 0.0, 1.0, points=4)
    return {k: values[i] for i, k in enumerate(keys)}


class BinaryMixture(Phase):
    """Two components at a fixed total density, ideal in mole fractions, described by the concentration of the first.

    The free energy R T (c_1 ln x_1 + c_2 ln x_2) with c_2 = (density - M_1 c_1) / M_2; the potential of the first is
    then mu_1 - (M_1/M_2) mu_2, the one that drives its flux relative to the centre of mass, and J_2 M_2 = -J_1 M_1 (de
    Groot and Mazur 1962, ch. XI). ``density`` kg/m^3, ``molar_masses`` of the species and of the rest, kg/mol.
    """

    density: Any
    molar_masses: tuple[Any, Any]
    species: str = static()

    def __init__(self, species: str, density: Any, molar_masses: tuple[Any, Any]) -> None:
        self.species = species
        self.density = si(density, "kg/m^3", "density")
        one, two = molar_masses
        self.molar_masses = (si(one, "kg/mol", "molar mass"), si(two, "kg/mol", "molar mass"))

    @property
    def pure(self) -> Any:
        """Concentration of the pure species, mol/m^3."""
        return self.density / self.molar_masses[0]

    def excess(self, c: Concentrations, charges: Mapping[str, float], T: Any) -> Any:
        """Free energy of mixing over R T, less c (ln c - 1), mol/m^3."""
        if set(c) != {self.species}:
            raise ModelError(f"A binary mixture of {self.species} has that one species; it was given {', '.join(c)}.")
        one = c[self.species]
        two = (self.density - self.molar_masses[0] * one) / self.molar_masses[1]
        return two * jnp.log(two / (one + two)) - one * jnp.log(one + two) + one
