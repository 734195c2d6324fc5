"""A coffee ring: a drop dries with its rim pinned, the outward flow carries all that is suspended to the rim.

Seeds: D

Vapour leaves a drop fastest at its rim. A drop whose rim stays where it is loses water there that must flow in from
the middle, and this flow takes the suspended matter along: a brown spot ends as a ring.

Equations

    vapour        div grad c = 0 around the cap, c = c_sat on it, humidity * c_sat far away, none into the table
    rate          W = pi R D c_sat (1 - humidity) f(theta);   flux near the rim  J ~ (R - r)^-lambda
    drying        rho dV/dt = -W(theta),  V = pi R^3 (1 - cos)^2 (2 + cos) / (3 sin^3)
    flow          v = R^2 / (4 r (t_f - t)) [ (1 - y^2)^-lambda - (1 - y^2) ],  y = r / R  (thin drop, height-averaged)
    ring          what stood beyond the radius from which the flow has just arrived at the rim

The vapour is solved on toroidal coordinates (alpha, beta), in which the drop and the table are coordinate surfaces,
the rim lies at alpha = infinity and infinity is one corner. With c - c_far = sqrt(2 (cosh alpha - cos beta)) V the
field V obeys

    d/d alpha ( sinh alpha dV/d alpha ) + sinh alpha d2V/d beta2 = - sinh alpha V / 4

and stays smooth even at infinity, where it gives the whole rate: W = 4 pi R D c_sat (1 - humidity) V(0, 0).

What to look for: the flux at the rim rises without bound, as steeply as the drop is flat (lambda = 1/2 for a film); the
ring grows as t^(2 / (1 + lambda)) at first and has everything when the drop is gone.

Limits: slow drying (vapour and heat at rest), no Marangoni flow, contact angle below a right angle, matter without a
size of its own; the flow is that of a thin drop with the exponent of its first angle.

Sources: R. D. Deegan et al., Nature 389 (1997) 827 and Phys. Rev. E 62 (2000) 756; Y. O. Popov, Phys. Rev. E 71 (2005)
036313 (exact field); H. Hu and R. G. Larson, J. Phys. Chem. B 106 (2002) 1334 (fit of the rate).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from numpy.polynomial import Chebyshev
from scipy.integrate import quad
from scipy.interpolate import CubicSpline

import steadyflux as sf
from steadyflux.systems.flow._vapour import factor, rim_exponent, vapour
from steadyflux.systems.system import Claim, Comparison, Numbers, Parameter, Result, System, Values

ANGLES = 9  # contact angles at which the rate is computed while the drop flattens

PARAMETERS = (
    Parameter("radius", 1e-3, "m", "a small drop of coffee", low=1e-6, high=0.1),
    Parameter("contact_angle", 0.7, "", "40 degrees: water on glass, typical", low=0.01, high=1.5),
    Parameter("vapour_diffusivity", 2.61e-5, "m^2/s", "water in air at 25 degC", low=1e-7, high=1e-3),
    Parameter("saturation", 0.0232, "kg/m^3", "water vapour at 25 degC", low=1e-6, high=10.0),
    Parameter("humidity", 0.4, "", "a room", low=0.0, high=0.999),
    Parameter("density", 997.0, "kg/m^3", "water", low=100.0, high=2e4),
    Parameter("solids", 1.0, "kg/m^3", "suspended matter, chosen", low=1e-9, high=1e3),
    Numbers("radii", (0.0, 0.5, 0.95), "", "places asked, over the radius", low=0.0, high=0.9999),
    Numbers("fractions", (1e-3, 0.1, 0.5, 0.9), "", "times asked, over the drying time", low=0.0, high=0.999),
)


def _rates(angle: float) -> Chebyshev:
    """f(theta), the rate over pi R D (c_sat - c_far), between a flat film and this contact angle."""
    nodes = 0.5 * angle * (1.0 + np.cos(np.pi * (np.arange(ANGLES) + 0.5) / ANGLES))
    return Chebyshev.fit(nodes, [factor(float(n)) for n in nodes], ANGLES - 1, domain=[0.0, angle])


def _volume_slope(angle: float) -> float:
    """dV / d theta over R^3 of a cap."""
    return float(np.pi / (1.0 + np.cos(angle)) ** 2)


def _cap(angle: float) -> float:
    """Volume of a cap over R^3."""
    half = np.tan(0.5 * angle)
    return float(np.pi / 6.0 * half * (3.0 + half**2))


class Drying(NamedTuple):
    """What a drop's drying follows: speed scale 1/s, f(theta), time until dry, exponent at the rim."""

    scale: float
    rates: Chebyshev
    time: float
    exponent: float


@lru_cache(maxsize=16)
def _dry(angle: float) -> tuple[Chebyshev, float, float]:
    rates = _rates(angle)
    time = quad(lambda a: _volume_slope(a) / (np.pi * rates(a)), 0.0, angle, epsabs=0, epsrel=1e-12)[0]
    return rates, time, rim_exponent(vapour(angle))


def _drying(p: Values) -> Drying:
    rates, time, exponent = _dry(float(p.contact_angle))
    scale = p.vapour_diffusivity * p.saturation * (1.0 - p.humidity) / (p.density * p.radius**2)
    return Drying(scale, rates, time / scale, exponent)


class Arrival(sf.EdgeLaw):
    """What the flow brings to the rim: all that stood beyond the radius from which it has just arrived.

    With g = (1 - y0^2)^(1 + lambda) of that radius y0, the matter beyond it is g^(2 / (1 + lambda)) of the whole, and g
    changes at the rate (1 + lambda) (1 - g) / (2 (t_f - t)): the height-averaged flow, followed backwards from the rim.
    """

    amount: Any = sf.parameter("mol", "matter in the drop")
    exponent: Any = sf.parameter("", "exponent of the flux at the rim")
    time: Any = sf.parameter("s", "time until dry")

    dissipative = False

    @property
    def moves(self) -> tuple[str, ...]:
        """The suspended matter."""
        return ("solids",)

    def flux(self, tail: Any, head: Any, edge: Any) -> dict[str, Any]:
        """Matter that arrives per time, mol/s."""
        power = 2.0 / (1.0 + self.exponent)
        g = tail["arrival"]
        safe = jnp.where(g > 0, g, 1.0)
        return {"solids": self.amount * power * jnp.where(g > 0, safe ** (power - 1.0), 0.0) * self.rate_of(tail)}

    def rate_of(self, here: Any) -> Any:
        """d g / d t, 1/s."""
        return 0.5 * (1.0 + self.exponent) * (1.0 - here["arrival"]) / (self.time * here["left"])


class Approach(sf.Rate):
    """Rate of g, 1/s."""

    exponent: Any
    time: Any

    def __call__(self, view: Any) -> Any:
        """(1 + lambda) (1 - g) / (2 (t_f - t))."""
        return 0.5 * (1.0 + self.exponent) * (1.0 - view["arrival"]) / (self.time * view["left"])


class Flattening(sf.Rate):
    """Rate of the contact angle, 1/s, by the rate of evaporation."""

    scale: Any
    coefficients: Any
    first: Any

    def __call__(self, view: Any) -> Any:
        """-scale pi f(theta) / (dV/d theta)."""
        angle = view["contact angle"]
        x = 2.0 * angle / self.first - 1.0
        older, last = jnp.ones_like(x), x
        total = self.coefficients[0] + self.coefficients[1] * x
        for c in self.coefficients[2:]:
            older, last = last, 2.0 * x * last - older
            total = total + c * last
        return -self.scale * total * (1.0 + jnp.cos(angle)) ** 2


class Passing(sf.Rate):
    """Rate of the share of time that is left, 1/s."""

    time: Any

    def __call__(self, view: Any) -> Any:
        """-1 / t_f."""
        return -1.0 / jnp.asarray(self.time)


def model(p: Values) -> sf.Model:
    """The drop and its ring: matter that the flow takes from the one to the other while the drop flattens."""
    drying = _drying(p)
    amount = p.solids * p.radius**3 * _cap(p.contact_angle)
    return sf.Model(
        sf.network({"drop": 1.0, "ring": 1.0}, {"flow": [("drop", "ring")]}),
        [sf.Species("solids")],
        [Arrival(amount, drying.exponent, drying.time, on="flow")],
        start={"solids": np.array([amount, 0.0])},
        shared=[
            sf.Shared("arrival", rate=Approach(drying.exponent, drying.time), start=0.0, scale=1.0),
            sf.Shared("left", rate=Passing(drying.time), start=1.0),
            sf.Shared(
                "contact angle",
                rate=Flattening(drying.scale, tuple(map(float, drying.rates.coef)), p.contact_angle),
                start=p.contact_angle,
            ),
        ],
    )


def solve(p: Values, model: sf.Model) -> sf.History:
    """The drying, up to a thousandth of its time from the end."""
    end = _drying(p).time
    asked = np.unique([*(f * end for f in p.fractions), *np.linspace(0.0, 0.999, 200) * end])
    return sf.evolve(model, 0.999 * end, times=asked, rtol=1e-9)


def answers(p: Values, history: sf.History) -> dict[str, Any]:
    """Rate, flux and flow at the start; angle and ring in time."""
    drying = _drying(p)
    field = vapour(float(p.contact_angle))
    drive = p.vapour_diffusivity * p.saturation * (1.0 - p.humidity)
    y = np.array(p.radii)
    flux = CubicSpline(field.alpha, np.log(field.flux))
    alpha = np.array([_alpha_of(float(one), float(p.contact_angle)) for one in y])
    times = np.array(p.fractions) * drying.time
    brought = history.values("solids", times)[:, 1]
    whole = p.solids * p.radius**3 * _cap(p.contact_angle)
    whole_rate = float(drying.rates(p.contact_angle))
    return {
        "evaporation_rate": np.pi * p.radius * drive * whole_rate,
        "evaporation_factor": whole_rate,
        "flux_at": tuple(np.exp(flux(alpha)) * drive / p.radius),
        "exponent": drying.exponent,
        "drying_time": drying.time,
        "contact_angle_at": tuple(history.values("contact angle", times)),
        "radial_velocity": tuple(_velocity(y, drying.exponent) * p.radius / drying.time),
        "ring_mass": tuple(brought),
        "ring_fraction": tuple(brought / whole),
        "ring_exponent": 2.0 / (1.0 + drying.exponent),
    }


def _alpha_of(y: float, angle: float) -> float:
    """alpha of the point of the drop's surface at the radius y R: sinh alpha = y (cosh alpha + cos theta)."""
    root = np.sqrt(1.0 - y * y * np.sin(angle) ** 2)
    return float(np.log((y * np.cos(angle) + root) / (1.0 - y)))


def _velocity(y: np.ndarray, exponent: float) -> np.ndarray:
    """Height-averaged velocity at the start over R / t_f."""
    s = y * y
    rise = (1.0 - s) ** -exponent - (1.0 - s)
    return np.where(y > 0, rise / (4.0 * np.where(y > 0, y, 1.0)), 0.0)


def figure(result: Result) -> Figure:
    """The flux over the drop, and the ring as it grows."""
    p, history = result.parameters, result.history
    drying, field = _drying(p), vapour(float(p.contact_angle))
    drawing = Figure(figsize=(7, 5.5), layout="constrained")
    above, below = drawing.subplots(2, 1)
    spread = np.cosh(field.alpha) + np.cos(p.contact_angle)
    y = np.sinh(field.alpha) / spread
    inside = y < 0.995
    drive = p.vapour_diffusivity * p.saturation * (1.0 - p.humidity) / p.radius
    above.plot(y[inside], field.flux[inside] * drive * 1e3, color="C0")
    height = np.sin(p.contact_angle) / spread
    shape = above.twinx()
    shape.fill_between(y, height * p.radius * 1e3, color="C1", alpha=0.25, lw=0)
    shape.set(ylabel="height of the drop / mm", ylim=(0.0, 3.0 * float(height.max()) * p.radius * 1e3))
    above.set(xlabel="radius / radius of the drop", ylabel="vapour / g m⁻² s⁻¹", ylim=(0.0, None), xlim=(0.0, 1.0))
    whole = p.solids * p.radius**3 * _cap(p.contact_angle)
    below.plot(history.times / drying.time, history["solids"][:, 1] / whole, label="matter in the ring")
    below.plot(history.times / drying.time, history["contact angle"] / p.contact_angle, "--", label="contact angle")
    below.plot(p.fractions, result.answers["ring_fraction"], "o", color="C0")
    below.set(xlabel="time / drying time", ylabel="share of the whole", xlim=(0.0, 1.0), ylim=(0.0, 1.02))
    below.legend(frameon=False)
    return drawing


def popov(angle: float) -> float:
    """f(theta) in closed form (Popov 2005, equation A11)."""

    def term(s: float) -> float:
        wide = np.exp(2 * (angle - np.pi) * s) + np.exp(-2 * (angle + np.pi) * s) + 2 * np.exp(-2 * np.pi * s)
        return wide / (1 - np.exp(-4 * np.pi * s)) * np.tanh((np.pi - angle) * s) if s > 0 else (np.pi - angle) / np.pi

    return float(np.sin(angle) / (1 + np.cos(angle)) + 4 * quad(term, 0, 40, epsabs=0, epsrel=1e-11, limit=400)[0])


def _exact_rate(run: Any) -> list[Comparison]:
    found = []
    for angle in (0.05, 0.7, 1.3):
        answers = run(contact_angle=angle).answers
        found.append(Comparison(answers["evaporation_factor"], popov(angle), rtol=1e-4))
        exact = (np.pi - 2 * angle) / (2 * np.pi - 2 * angle)
        found.append(Comparison(answers["exponent"], exact, rtol=1e-4, atol=2e-5))
    return found


def _disk(run: Any) -> Comparison:
    """A film as thin as a disk: W = 4 D R dc (Weber 1873)."""
    return Comparison(run(contact_angle=0.01).answers["evaporation_factor"] / (1 + 0.01 * 0.12), 4 / np.pi, rtol=1e-3)


def _ring_law(run: Any) -> list[Comparison]:
    result = run()
    lam = (np.pi - 1.4) / (2 * np.pi - 1.4)
    t = np.array(result.parameters.fractions)
    exact = (1 - (1 - t) ** ((1 + lam) / 2)) ** (2 / (1 + lam))
    return [
        Comparison(result.answers["ring_fraction"], exact, rtol=1e-4),
        Comparison(result.history.ledger["solids"].relative, 0.0, rtol=0.0, atol=1e-10),
    ]


def _thin(run: Any) -> Comparison:
    """A flat drop dries in pi rho R^2 theta / (16 D dc)."""
    p = run(contact_angle=0.02)
    v = p.parameters
    drive = v.vapour_diffusivity * v.saturation * (1 - v.humidity)
    return Comparison(p.answers["drying_time"], np.pi * v.density * v.radius**2 * 0.02 / (16 * drive), rtol=5e-3)


SYSTEM = System(
    name="coffee_ring",
    parameters=PARAMETERS,
    model=model,
    solve=solve,
    answers=answers,
    units={
        "evaporation_rate": "kg/s",
        "evaporation_factor": "",
        "flux_at": "kg/m^2/s",
        "exponent": "",
        "drying_time": "s",
        "contact_angle_at": "",
        "radial_velocity": "m/s",
        "ring_mass": "kg",
        "ring_fraction": "",
        "ring_exponent": "",
    },
    claims=(
        Claim("rate and rim exponent of a cap", "Popov (2005), Deegan et al. (2000)", _exact_rate),
        Claim("a film is a disk", "Weber (1873)", _disk),
        Claim("growth of the ring", "Deegan et al. (2000), Popov (2005)", _ring_law),
        Claim("a flat drop dries in the thin limit", "Popov (2005)", _thin),
    ),
    figure=figure,
)
