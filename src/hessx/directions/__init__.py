"""Directions of line searches, and the tracks beneath them."""

from hessx.directions._conjugate import NonlinearCG
from hessx.directions._direction import Direction, DirectionRule, Needs
from hessx.directions._fitting import (
    PRECONDITIONERS,
    NewtonSettings,
    check_approximation,
    evidence_of,
    settle_newton,
)
from hessx.directions._newton_cg import NewtonCG
from hessx.directions._newton_part import NewtonPart
from hessx.directions._probe import probe, way_out
from hessx.directions._quasi_newton import QuasiNewton, as_direction
from hessx.directions._track import Track

__all__ = [
    "PRECONDITIONERS",
    "Direction",
    "DirectionRule",
    "Needs",
    "NewtonCG",
    "NewtonPart",
    "NewtonSettings",
    "NonlinearCG",
    "QuasiNewton",
    "Track",
    "as_direction",
    "check_approximation",
    "evidence_of",
    "probe",
    "settle_newton",
    "way_out",
]
