"""Independent reference numbers of `epithelial_cell`: epithelia, a cell alone and neurons, with their parameters."""

from __future__ import annotations

from typing import Any


def baths(apical: tuple[float, ...], basolateral: tuple[float, ...]) -> dict[str, float]:
    """The parameters of two baths."""
    names = ("sodium", "potassium", "chloride")
    sides = (("apical", apical), ("basolateral", basolateral))
    return {f"{side}_{n}": c for side, three in sides for n, c in zip(names, three, strict=True)}


# Independent reference computation (root finding on the reduced equations, 1e-10): a tight epithelium in open circuit,
# its cell alone, and an epithelium short-circuited between equal baths.
FROG = baths((115.0, 3.0, 118.0), (115.0, 3.0, 118.0)) | {
    "temperature": 300.0,
    "osmolarity": 240.0,
    "cell_permeabilities": (1e-10, 8e-9, 2e-9),
    "apical_permeabilities": (1.2e-9, 0.0, 0.0),
    "basolateral_permeabilities": (3e-11, 2e-8, 1e-8),
    "paracellular_permeabilities": (1e-10, 1e-10, 1e-10),
    "pump_capacity": 2e-7,
    "pump_sodium_half": 8.0,
    "pump_potassium_half": 0.8,
    "atp_energy": 57000.0,
    "impermeant_charge": -1.0,
    "impermeant_amount": 9e-14,
    "area": 1e-10,
    "circuit": "short",
}
REFERENCE: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        {},
        {
            "sodium": 20.03535902207462,
            "potassium": 142.95221677045188,
            "chloride": 7.136666282208448,
            "volume": 0.8469632959778203e-15,
            "pump_rate": 8.24499513930385e-08,
            "atp_power": 2.720848395970271e-12,
            "apical_voltage": -0.00047672295084870837,
            "basolateral_voltage": -0.08235490962122385,
            "transepithelial_voltage": -0.08187818667037515,
            "transepithelial_sodium": 1.1605267341648441e-07,
            "entropy_production": 6e-10 * 1.4349829138364782e-05,
        },
    ),
    (
        {"preparation": "cell"},
        {
            "sodium": 11.204182977452,
            "potassium": 151.5936820863211,
            "chloride": 9.22348429849571,
            "volume": 0.8595183606942123e-15,
            "membrane_voltage": -0.0736314345654997,
            "leak_flux": 1.2294042284133534e-07,
            "entropy_production": 6e-10 * 7.267153803292432e-06,
        },
    ),
    (
        FROG,
        {
            "sodium": 75.02145032451533,
            "chloride": 18.94455966526391,
            "volume": 0.8906002457847292e-15,
            "apical_voltage": -0.04728764617108679,
            "transepithelial_sodium": 2.6920809859615253e-07,
            "short_circuit_current": 0.025974632803334567,
            "entropy_production": 1e-10 * 1.7476092400533568e-05,
        },
    ),
)

# A second, separately written reference computation: a neuron-like cell with ohmic leaks and membrane capacitance, once
# with a constant pump (Duesterwald et al. 2018), once with K-Cl cotransport.
NEURON = baths((145.0, 3.0, 119.0), (145.0, 3.0, 119.0)) | {
    "preparation": "cell",
    "temperature": 298.15,
    "osmolarity": 296.5,
    "cell_permeabilities": (0.0, 0.0, 0.0),
    "cell_conductances": (0.1, 3.0, 2.0),
    "pump_capacity": 5.18e-8,
    "pump_sodium_half": 0.0,
    "pump_potassium_half": 0.0,
    "impermeant_charge": -0.85,
    "impermeant_amount": 1e-14,
    "area": 3.14e-10,
    "membrane_capacitance": 0.02,
}
KCC = NEURON | {"cell_conductances": (0.2, 0.7, 0.2), "cotransport_conductance": 0.08, "pump_capacity": 8e-7}
KCC |= {"pump_sodium_half": 12.0, "pump_potassium_half": 1.0}
NEURONS: tuple[tuple[dict[str, Any], dict[str, float]], ...] = (
    (
        NEURON,
        {
            "sodium": 15.05397875541782,
            "potassium": 121.39663033527688,
            "chloride": 3.3479839587927467,
            "membrane_voltage": -0.09174216567097762,
            "volume": 6.381563634050892e-17,
        },
    ),
    (
        KCC,
        {
            "sodium": 16.65311093726213,
            "potassium": 119.98853034260695,
            "chloride": 5.5640175797534575,
            "membrane_voltage": -0.07225808534734916,
            "volume": 6.481119091011878e-17,
            "pump_rate": 8.834526861001676e-08,
        },
    ),
)
