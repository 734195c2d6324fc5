"""A grain that dissolves in still water: Epstein and Plesset's equation, and the whole problem with its moving surface.

Epstein and Plesset (1950) took the gradient at the surface of a sphere of fixed radius R,

    dR/dt = -(D (c_s - c_0) / rho) (1 / R + 1 / sqrt(pi D t)),

and let R shrink by it. The whole problem keeps the field that earlier, larger surfaces left behind. Here the water
closes in on the grain as it goes and what is dissolved takes up no room, as for a gas bubble. Shells of water then keep
their volume and what they hold moves with them: with m the volume between the grain and a shell over 4 pi, the shell
stands at r^3 = R^3 + 3 m, and diffusion through it is the only flow.

Source: P. S. Epstein and M. S. Plesset, J. Chem. Phys. 18 (1950) 1505.
"""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import steadyflux as sf

FAR = 20.0  # radii, besides the way that diffusion goes, to the end of the water
THICKEST = 8.0  # that way, in diffusion lengths 2 sqrt(D t)
FINEST = 1e-5  # scale of the first steps at the surface over the radius: the way begins as sqrt(t)
SHELLS = 600
GONE = 1e-6  # of the surface, at which the grain counts as gone


class Shells(sf.EdgeLaw):
    """Diffusion between shells of water around a grain; ``inner`` and ``outer`` are 3 m of both ends, m^3."""

    diffusivity: Any = sf.parameter("m^2/s", "diffusivity")
    inner: Any = sf.parameter("m^3", "shell")
    outer: Any = sf.parameter("m^3", "shell")
    radius: Any = sf.parameter("m", "radius of the grain at the start")

    @property
    def moves(self) -> tuple[str, ...]:
        """What dissolves."""
        return ("dissolved",)

    def flux(self, tail: Any, head: Any, edge: Any) -> dict[str, Any]:
        """Flow outwards, mol/s: 4 pi D times the difference over 1/r_inner - 1/r_outer."""
        cube = self.radius**3 * jnp.maximum(tail["surface"], GONE**2) ** 1.5
        one, two = jnp.cbrt(cube + self.inner), jnp.cbrt(cube + self.outer)
        step = (self.outer - self.inner) / (one * one + one * two + two * two)
        return {
            "dissolved": 4.0 * jnp.pi * self.diffusivity * one * two / step * (tail["dissolved"] - head["dissolved"])
        }


class Receding(sf.Rate):
    """Rate of the grain's surface relative to that at the start: what leaves through it was the grain's."""

    radius: Any
    density: Any

    def __call__(self, view: Any) -> Any:
        """The rate, 1/s."""
        now = self.radius * jnp.sqrt(jnp.maximum(view["surface"], GONE**2))
        return -view.flow("dissolved", "face") / (2.0 * jnp.pi * now * self.density * self.radius**2)


class Erosion(sf.Rate):
    """Epstein and Plesset's equation for the surface relative to that at the start, in the root of the time.

    With y = (R / R_0)^2 and q = sqrt(t) it is regular at both ends: dy/dq = -(4 a / R_0^2) (q + R / sqrt(pi D)),
    a = D (c_s - c_0) / rho. ``memory`` 0 leaves out the second term: the field then follows at once (quasi-steady).
    """

    diffusivity: Any
    radius: Any
    supersaturation: Any
    memory: Any

    def __call__(self, view: Any) -> Any:
        """The rate, s^-1/2."""
        a, now = self.diffusivity * self.supersaturation, self.radius * jnp.sqrt(jnp.maximum(view["surface"], 0.0))
        return (
            -4.0 * a / self.radius**2 * (view["root of time"] + self.memory * now / jnp.sqrt(jnp.pi * self.diffusivity))
        )


def whole(radius: float, diffusivity: float, saturated: float, far: float, density: float) -> sf.Model:
    """The grain in its shells of water, saturated at its face."""
    longest = 0.5 * density * radius**2 / (diffusivity * (saturated - far))
    reach = FAR * radius + THICKEST * 2.0 * (diffusivity * longest) ** 0.5
    scale = FINEST * radius
    depth = scale * np.sinh(np.linspace(0.0, np.arcsinh(reach / scale), SHELLS))
    thrice = depth * (3.0 * radius * radius + 3.0 * radius * depth + depth * depth)
    held = {"dissolved": saturated}
    return sf.Model(
        space=sf.interval(nodes=thrice / 3.0, area=4.0 * np.pi, names=("face", "far")),
        quantities=[sf.Species("dissolved")],
        laws=[Shells(diffusivity, thrice[:-1], thrice[1:], radius)],
        boundaries=[sf.Hold("face", held)],
        start={"dissolved": np.where(depth > 0.0, far, saturated)},
        shared=[sf.Shared("surface", rate=Receding(radius, density), start=1.0)],
    )


def dissolving(radius: float, diffusivity: float, saturated: float, far: float, density: float) -> sf.History:
    """The whole problem until the grain is gone."""
    model = whole(radius, diffusivity, saturated, far, density)
    longest = 0.5 * density * radius**2 / (diffusivity * (saturated - far))
    return sf.evolve(model, until=2.0 * longest, events=[sf.Event("gone", lambda view: view["surface"] - GONE)])


def epstein_plesset(radius: float, diffusivity: float, supersaturation: float, memory: float = 1.0) -> float:
    """Time in which the grain is gone by Epstein and Plesset's equation, s; supersaturation is (c_s - c_0) / rho."""
    longest = 0.5 * radius**2 / (diffusivity * supersaturation)
    # A vessel that nothing enters stands for the water: the equation needs no more of it.
    model = sf.Model(
        sf.network({"water": 1.0}, {}),
        quantities=[sf.Species("tracer")],
        laws=[sf.Decay({"tracer": -1}, 0.0)],
        start={"tracer": 1.0},
        shared=[
            sf.Shared("surface", rate=Erosion(diffusivity, radius, supersaturation, memory), start=1.0),
            sf.Shared("root of time", rate=_one, start=0.0, scale=longest**0.5),
        ],
    )
    gone = sf.Event("gone", lambda view: view["surface"])
    found = sf.evolve(model, until=1.01 * longest**0.5, rtol=1e-9, events=[gone])
    return found.events[0].time ** 2


def _one(view: Any) -> Any:
    return jnp.ones(())
