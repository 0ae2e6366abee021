"""Methods made of two: one after another, or one as the preconditioner of another."""

from __future__ import annotations

import hessx
from hessx.study.methods.makers import LONG_N, MATRIX_N, given, looking, sampled
from hessx.study.methods.method import family
from hessx.study.sampled import Sampled

__all__ = ["COMBINED"]

_DIAGONAL = hessx.LBFGS(hess_inv0=hessx.LearntDiagonal(patient=False))
_HUTCHINSON = hessx.LBFGS(hess_inv0=hessx.Hutchinson())

COMBINED = family(
    "combined",
    given("gd-lbfgs", "gradient descent, then L-BFGS"),
    given("gd-newton-cg", "gradient descent, then Newton-CG"),
    given("lbfgs-newton-cg", "L-BFGS, then Newton-CG"),
    given("lbfgs-stalled", "L-BFGS until it stalls", "lbfgs-newton-cg", switch=hessx.Stalled()),
    given("lbfgs-trust-ncg", "L-BFGS, then trust-region Newton-CG"),
    given("bfgs-newton", "BFGS, then Newton, dense", usual_n=LONG_N),
    given("ncg-pairs", "trust-region Newton-CG, CG's pairs", "trust-ncg", preconditioner="pairs"),
    given("ncg-lbfgs", "trust-region Newton-CG, L-BFGS", "trust-ncg", preconditioner=hessx.LBFGS()),
    given(
        "lbfgs-diagonal", "L-BFGS on a learnt diagonal",
        hessx.LineSearchMethod(_DIAGONAL, hessx.HagerZhang()), MATRIX_N,
    ),
    looking(
        "lbfgs-hutchinson", "L-BFGS on Hutchinson's diagonal",
        hessx.LineSearchMethod(_HUTCHINSON, hessx.HagerZhang()), MATRIX_N,
    ),
    sampled(Sampled("adam-lbfgs", "Adam, then L-BFGS", 0.02)),
    sampled(Sampled("adam-newton-cg", "Adam, then Newton-CG", 0.02)),
)  # fmt: skip
