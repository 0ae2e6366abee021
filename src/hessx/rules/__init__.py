"""Rules of first order, and rates that the device finds."""

from hessx.rules._rates import (
    DeviceRate,
    Hypergradient,
    HypergradientRate,
    LiveRate,
    PolyakRate,
    PolyakRates,
)

__all__ = [
    "DeviceRate",
    "Hypergradient",
    "HypergradientRate",
    "LiveRate",
    "PolyakRate",
    "PolyakRates",
]
