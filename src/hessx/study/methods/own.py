"""hessx's own methods, by families."""

from __future__ import annotations

import hessx
from hessx.study.methods.makers import (
    LONG_N,
    MATRIX_N,
    along,
    by_jacobian,
    fixed,
    given,
    inverse,
    looking,
    of_squares,
    on_pattern,
    sampled,
    whole,
    within,
)
from hessx.study.methods.method import family
from hessx.study.sampled import SAMPLED

__all__ = ["OWN"]

_HAGER_ZHANG = hessx.HagerZhang()

OWN = (
    *family(
        "gradient",
        given("gd", "gradient descent, Hager-Zhang"),
        along("bb", "Barzilai-Borwein", hessx.Identity(), hessx.BarzilaiBorwein("short")),
        along("spectral", "spectral gradient, non-monotone", hessx.Spectral(), hessx.NonMonotone()),
        given("r2", "quadratic regularisation, R2", usual_n=LONG_N),
    ),
    *family(
        "conjugate",
        given("cg", "nonlinear CG, HS+"),
        given("cg-hz", "nonlinear CG, Hager-Zhang", "cg", beta="hz"),
        given("cg-pr+", "nonlinear CG, PR+", "cg", beta="pr+"),
    ),
    *family(
        "diagonal",
        along("diagonal-bfgs", "diagonal BFGS", hessx.DiagonalBFGS(), _HAGER_ZHANG, LONG_N),
        along("weak-secant", "weak-secant diagonal", hessx.WeakSecant(), _HAGER_ZHANG, LONG_N),
        within("diagonal-psb", "diagonal PSB in a region", hessx.DiagonalPSB(), LONG_N),
    ),
    *family(
        "limited memory",
        given("lbfgs", "L-BFGS, Hager-Zhang, memory 10 to 256 by n"),
        along("lbfgs-mt", "L-BFGS, More-Thuente", hessx.LBFGS(), hessx.MoreThuente()),
        along(
            "lbfgs-average", "L-BFGS, non-monotone",
            hessx.LBFGS(), hessx.NonMonotoneAverage(_HAGER_ZHANG),
        ),
        along("ldfp", "L-DFP", hessx.LDFP(), _HAGER_ZHANG, LONG_N),
        given("trust-lbfgs", "L-BFGS in a region"),
        given("lsr1", "L-SR1 in a region"),
    ),
    *family(
        "quasi-Newton",
        given("bfgs", "BFGS", usual_n=MATRIX_N),
        given("ssbfgs", "BFGS, sized by Al-Baali", usual_n=MATRIX_N),
        given("ssbroyden", "Broyden's class, sized and switched", usual_n=MATRIX_N),
        given("broyden", "Broyden's class, phi = 1/2", usual_n=MATRIX_N),
        given("dfp", "DFP", usual_n=LONG_N),
        given("trust-bfgs", "BFGS in a region", usual_n=LONG_N),
        given("sr1", "SR1 in a region", usual_n=MATRIX_N),
        given("psb", "PSB in a region", usual_n=LONG_N),
    ),
    *family(
        "Newton",
        given("newton", "Newton, dense", usual_n=LONG_N),
        given("trust-exact", "trust region, More-Sorensen", usual_n=LONG_N),
        given("dogleg", "trust region, dogleg", usual_n=LONG_N),
        on_pattern(
            "sparse-newton", "Newton, on a pattern",
            lambda pattern: hessx.LineSearchMethod(hessx.SparseNewton(pattern), _HAGER_ZHANG),
        ),
        on_pattern(
            "ncg-sparse", "trust-region Newton-CG, on a pattern",
            lambda pattern: hessx.TrustRegionMethod(hessx.Sparse(pattern)),
        ),
        inverse("inverse-0.01", 0.01),
        inverse("inverse-1", 1.0),
    ),
    *family(
        "Newton-CG",
        given("newton-cg", "line-search Newton-CG"),
        given("trust-ncg", "trust-region Newton-CG"),
        given("trust-krylov", "trust-region GLTR"),
        given("arc", "cubic regularisation, GLTR"),
        within("damped-ncg", "damped Newton-CG", hessx.Exact(), region=hessx.NielsenRule()),
    ),
    *family(
        "sampled curvature",
        looking(
            "chebyshev", "Chebyshev inverse, degree 8",
            hessx.LineSearchMethod(hessx.TruncatedInverse(), _HAGER_ZHANG), LONG_N,
        ),
        looking(
            "low-rank", "saddle-free, rank 8",
            hessx.LineSearchMethod(hessx.LowRank(8), _HAGER_ZHANG), LONG_N, smallest_n=8,
        ),
        looking(
            "ncg-hutchinson", "trust-region Newton-CG, Hutchinson",
            "trust-ncg", preconditioner="hutchinson",
        ),
        looking(
            "ncg-nystrom", "trust-region Newton-CG, Nystrom", "trust-ncg", preconditioner="nystrom"
        ),
    ),
    *family(
        "least squares",
        of_squares("lm", "Levenberg-Marquardt", "lm", LONG_N),
        of_squares("lm-cg", "Levenberg-Marquardt, by CG", "lm-cg"),
        of_squares(
            "gnsbfgs", "Gauss-Newton, structured BFGS",
            hessx.LineSearchMethod(hessx.GNSBFGS(), _HAGER_ZHANG), LONG_N,
        ),
        by_jacobian("fx", "Gauss-Newton or BFGS", hessx.FX()),
        by_jacobian("ssm", "structured secant", hessx.SSM()),
        by_jacobian("tssm", "totally structured secant", hessx.TSSM()),
        by_jacobian(
            "gn-sr1", "Gauss-Newton plus SR1", hessx.KnownPlus(known=hessx.GaussNewton(dense=True))
        ),
    ),
    *family(
        "whole gradient",
        fixed("gd-fixed", "gradient descent, fixed rate", 1e-2),
        whole("momentum-whole", "momentum, whole gradient", "momentum", 1e-2),
        whole("nesterov-whole", "Nesterov's momentum, whole gradient", "nesterov", 1e-2),
        whole("rmsprop-whole", "RMSProp, whole gradient", "rmsprop", 1e-2),
        whole("adagrad-whole", "Adagrad, whole gradient", "adagrad", 1e-1),
        whole("adam-whole", "Adam, whole gradient", "adam", 1e-2),
    ),
    *family(
        "combined",
        given("auto", "auto, by gradients alone"),
        given("auto-products", "auto, with products"),
    ),
    *family("stochastic", *map(sampled, SAMPLED.values())),
)  # fmt: skip
