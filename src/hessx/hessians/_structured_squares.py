"""Structured approximations of sums of squares: SSM, TSSM, GNSBFGS and FX."""

from __future__ import annotations

from dataclasses import dataclass

from hessx.core import (
    Frame,
    Learns,
    Offer,
    Wants,
    saved,
)
from hessx.hessians._broyden_members import BFGS
from hessx.hessians._family import Approximation
from hessx.hessians._secant_term import SecantTerm
from hessx.hessians._squares import SecantCurvature
from hessx.hessians._squares_hybrids import FletcherXuCurvature, ZhouChenCurvature

__all__ = ["FX", "GNSBFGS", "SSM", "TSSM"]

_MATRIX = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL


class _Squares(Approximation):
    __slots__ = ()
    offers = _MATRIX
    positive = False
    learns = Learns.ACCEPTED
    wants = Wants.RESIDUAL


@saved
@dataclass(frozen=True, slots=True)
class SSM(_Squares):
    """x"""

    update: str = "bfgs"
    sizing: bool = True

    def begin(self, frame: Frame) -> SecantCurvature:
        return SecantCurvature(
            frame, SecantTerm(frame, self.update, sizing=self.sizing), adjusts=False
        )


@saved
@dataclass(frozen=True, slots=True)
class TSSM(_Squares):
    """x"""

    update: str = "bfgs"

    def begin(self, frame: Frame) -> SecantCurvature:
        return SecantCurvature(frame, SecantTerm(frame, self.update, sizing=False), adjusts=True)


@saved
@dataclass(frozen=True, slots=True)
class GNSBFGS(_Squares):
    """x"""

    offers = _MATRIX | Offer.SOLVE | Offer.SHIFTED
    positive = True
    hybrid_tol: float = 1e-6
    scaling: str = "none"

    def begin(self, frame: Frame) -> ZhouChenCurvature:
        return ZhouChenCurvature(frame, BFGS(scaling=self.scaling).begin(frame), self.hybrid_tol)


@saved
@dataclass(frozen=True, slots=True)
class FX(_Squares):
    """x"""

    hybrid_tol: float = 0.2

    def begin(self, frame: Frame) -> FletcherXuCurvature:
        return FletcherXuCurvature(frame, BFGS(scaling="none").begin(frame), self.hybrid_tol)
