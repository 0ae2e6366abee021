"""What every approximation of the Hessian promises."""

from __future__ import annotations

import copy
import math
from functools import partial
from typing import Any

import numpy as np

from hessx._xp import record_fetches, space_of, to_point
from hessx.core import Frame, Learns, Offer, SettingsError, check_part
from hessx.hessians import Approximation, Curvature
from hessx.testing._places import check_places
from hessx.testing._posed import Apply, Posed, expect

__all__ = ["check_approximation"]

_FROM_STEPS = (Learns.ACCEPTED, Learns.EVERY)


def check_approximation(
    approximation: Approximation,
    x0: Any,
    *,
    secant: bool = False,
    stacks: bool = False,
    seed: int = 0,
) -> None:
    r"""Ask an approximation for all that the methods of hessx rely on.

    - ``solve`` and ``matvec`` keep library, dtype, device and shape, write nothing into v, are
      linear and symmetric, fetch nothing where they are offered, and are inverse to each other;
    - ``dense`` and ``diagonal``, where offered, are those of ``matvec``, and ``solve_shifted`` its
      inverse after a shift; ``operator``, where there is one, is one of them in x; v'B v > 0 where
      the approximation says that it is ``positive``;
    - ``update`` takes good pairs, those of rejected trials too where it learns from them, writes
      nothing into them, and survives those that are useless: s'y <= 0, y = 0, and what is not
      finite; ``reset`` makes it as it was at first;
    - a deep copy is independent, and learns as the original; an ``operator`` stays as it is when
      the approximation learns on;
    - a run in a trust region, in a line search and as a preconditioner, if it fits there,
      minimises a convex function, and one that is saved and taken up again makes the same steps.

    What learns from samples is given gradients, layers or rows in the place of pairs, all of use,
    and is asked for no run.  All of it in x, and in x / x_scale for an array x_scale, unless
    ``begin`` refuses that by a `SettingsError`.

    Parameters
    ----------
    approximation : Approximation
        Settings.
    x0 : array, shape (n,)
        Says where: of any library, float32 or float64; n from 2 to 50.
    secant : bool
        Ask for B s = y after each good pair.
    stacks : bool
        Apply to stacks, shape (k, n), too: no method does.
    seed : int
        Of the pairs.

    Raises
    ------
    AssertionError
        A promise is not kept; the message says which, and what was found.
    SettingsError
        What was given is no approximation, or is a class.

    Notes
    -----
    Cost: some thirty applications per variable (in all, to stacks), and eighteen runs at most of a
    function of n variables.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.testing import check_approximation
    >>> check_approximation(hessx.LBFGS(memory=5), np.zeros(6), secant=True)
    """
    known = "an approximation such as hessx.LBFGS(), of a subclass of hessx.Approximation"
    check_part("approximation", approximation, Approximation, known)
    space = space_of(to_point(x0))
    _check(Posed(Frame(space), approximation, np.random.default_rng(seed), stacks), secant)
    posed = Posed(Frame(space), approximation, np.random.default_rng(seed + 1), stacks)
    scale = posed.there(2.0 ** posed.rng.uniform(-0.5, 0.5, space.n))
    posed.frame = Frame(space, scale)
    try:
        approximation.begin(posed.frame)
    except SettingsError:
        return
    _check(posed, secant)


def _check(posed: Posed, secant: bool) -> None:
    """Check all, in the variables of the frame."""
    approximation = posed.approximation
    curvature = approximation.begin(posed.frame)
    known = Offer.MATVEC in approximation.offers
    _check_products(posed, curvature, "at first")
    for k in range(3):
        pair = posed.pair()
        accepted = k < 2 or approximation.learns is not Learns.EVERY
        note = posed.teach(curvature, pair, accepted=accepted, known=known and k > 0)
        if approximation.learns in _FROM_STEPS:
            expect(note == "", f"a pair of a convex function was {note!r}: expected ''")
            if secant:
                s, y = pair
                size = float(np.linalg.norm(posed.H))
                posed.near(posed.host(curvature.matvec(s)), posed.host(y), "B s = y", size)
        _check_products(posed, curvature, f"after {k + 1} pairs")
    _check_copies(posed, curvature)
    if not approximation.stochastic:
        _check_useless_pairs(posed, curvature)
    _check_reset(posed, curvature)
    if not approximation.stochastic:
        check_places(posed)


def _check_products(posed: Posed, curvature: Curvature, when: str) -> None:
    """Kinds, linearity, symmetry, definiteness, and what belongs together."""
    posed.arrive(curvature)
    offers, n = posed.approximation.offers, posed.space.n
    matrices = {}
    if Offer.SOLVE in offers:
        matrices["solve"] = _checked_matrix(posed, curvature.solve, f"solve {when}")
    if Offer.MATVEC in offers:
        matrices["matvec"] = _checked_matrix(posed, curvature.matvec, f"matvec {when}")
    expect(bool(matrices), f"offers {offers}: expected SOLVE or MATVEC, or both")
    A, B = matrices.get("solve"), matrices.get("matvec")
    if A is not None and B is not None:
        size = float(np.linalg.norm(A) * np.linalg.norm(B))
        posed.near(A @ B, np.eye(n), f"A B v = v {when}", size)
    if B is not None and Offer.DENSE in offers:
        posed.near(posed.host(curvature.dense()), B, f"dense() is not B {when}")
    if B is not None and Offer.DIAGONAL in offers:
        posed.near(posed.host(curvature.diagonal()), B.diagonal(), f"diagonal() is not B's {when}")
    if B is not None and Offer.SHIFTED in offers:
        for sigma in (0.0, 0.5):
            A_shifted = posed.matrix(partial(curvature.solve_shifted, sigma=sigma))
            what = f"(B + sigma I) solve_shifted(v, sigma) = v {when}"
            size = float(np.linalg.norm(A_shifted) * np.linalg.norm(B))
            posed.near((B + sigma * np.eye(n)) @ A_shifted, np.eye(n), what, size)
    scale = posed.frame.scale
    root = np.eye(n) if scale is None else np.diag(posed.host(scale))
    for inverse, matrix in ((True, A), (False, B)):
        operator = curvature.operator(inverse=inverse)
        if operator is None or matrix is None:
            continue
        D = root if inverse else np.linalg.inv(root)
        what = f"operator(inverse={inverse}) is another matrix in x {when}"
        posed.near(posed.matrix(operator.matvec), D @ matrix @ D, what)


def _checked_matrix(posed: Posed, apply: Apply, what: str) -> np.ndarray:
    """Give the matrix of an apply, once it has been seen to be one."""
    u, v = posed.vector(), posed.vector()
    before = posed.host(v)
    first = apply(v)
    with record_fetches() as ledger:
        again = apply(v)
    expect(ledger.fetches == 0, f"{what} fetches: expected no wait for the device")
    mismatch = posed.space.mismatch(first)
    expect(mismatch is None, f"{what} gave an array of another kind than v: {mismatch}")
    expect(first.shape == v.shape, f"{what} gave shape {first.shape}: expected {v.shape}")
    expect(first is not v, f"{what} gave v itself: expected a new vector")
    expect(bool((posed.host(v) == before).all()), f"{what} wrote into v")
    first, again = posed.host(first), posed.host(again)
    posed.near(again, first, f"{what}, twice, differs")
    M = posed.matrix(apply)
    size = max(1.0, float(np.linalg.norm(M)))
    for w in (v, u * 2.0 + v):
        posed.near(posed.host(apply(w)), M @ posed.host(w), f"{what} is not linear", size)
    posed.near(M, M.T, f"{what} is not symmetric")
    _check_positive(posed, M, what)
    return M


def _check_positive(posed: Posed, M: np.ndarray, what: str) -> None:
    expect(bool(np.isfinite(M).all()), f"{what} is not finite")
    least = np.linalg.eigvalsh((M + M.T) / 2.0)[0]
    positive = least > 0.0 or not posed.approximation.positive
    expect(positive, f"{what} has the eigenvalue {least:.2g}, and it says it is positive")


def _check_copies(posed: Posed, curvature: Curvature) -> None:
    v, pair = posed.vector(), posed.pair(2.0)
    kept = posed.host(posed.apply_of(curvature)(v))
    twin = copy.deepcopy(curvature)
    posed.arrive(twin)
    operators = [curvature.operator(inverse=inverse) for inverse in (True, False)]
    taken = [None if operator is None else posed.host(operator @ v) for operator in operators]
    same = posed.host(posed.apply_of(twin)(v))
    posed.near(same, kept, "a deep copy is another matrix")
    posed.teach(curvature, pair)
    still = posed.host(posed.apply_of(twin)(v))
    expect(bool((still == same).all()), "a deep copy changed with what it was copied from")
    for operator, product in zip(operators, taken, strict=True):
        if operator is not None:
            kept_too = bool((posed.host(operator @ v) == product).all())
            expect(kept_too, "an operator changed when the approximation learnt on")
    posed.teach(twin, pair)
    taught, expected = (posed.host(posed.apply_of(part)(v)) for part in (twin, curvature))
    posed.near(taught, expected, "a deep copy learns something else from the same pair")


def _check_useless_pairs(posed: Posed, curvature: Curvature) -> None:
    n, s = posed.space.n, posed.rng.standard_normal(posed.space.n)
    useless = {
        "s'y < 0": -posed.H @ s, "y = 0": np.zeros(n), "a y with inf": np.full(n, math.inf),
        "a y with nan": np.full(n, math.nan),
    }  # fmt: skip
    with np.errstate(all="ignore"):
        for what, y in useless.items():
            posed.teach(curvature, (posed.there(s), posed.there(y)))
            found = posed.matrix(posed.apply_of(curvature))
            _check_positive(posed, found, f"what has seen a pair with {what}")


def _check_reset(posed: Posed, curvature: Curvature) -> None:
    if posed.approximation.learns not in _FROM_STEPS and not posed.approximation.stochastic:
        return
    if curvature.reset():
        fresh = posed.approximation.begin(posed.frame)
        posed.arrive(fresh)
        v = posed.vector()
        found, expected = (posed.host(posed.apply_of(part)(v)) for part in (curvature, fresh))
        posed.near(found, expected, "after reset it is not as at first")
        expect(not curvature.reset(), "reset twice says twice that there was something to forget")
    posed.teach(curvature, posed.pair())
    _check_products(posed, curvature, "after reset and a pair")
