"""What every approximation of the Hessian promises."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import hessx
from hessx._xp import Array, Packet, Space, like, record_fetches, space_of, to_host, to_point
from hessx.core import Frame, Learns, Offer, Pair, Wants
from hessx.hessians import Approximation, Curvature

__all__ = ["check_approximation"]

_MANY = 1e4  # times eps: what rounding may make of a few products of well-conditioned matrices
_Apply = Callable[[Array], Array]


def check_approximation(
    approximation: Approximation, x0: Any, *, secant: bool = False, seed: int = 0
) -> None:
    r"""Ask an approximation for all that the methods of hessx rely on.

    - ``solve`` and ``matvec`` keep library, dtype, device and shape, write nothing into v, are
      linear and symmetric, fetch nothing where they are offered, and are inverse to each other;
    - ``dense`` and ``diagonal``, where offered, are those of ``matvec``, and ``solve_shifted`` its
      inverse after a shift; v'B v > 0 where the approximation says that it is ``positive``;
    - ``update`` takes good pairs, and survives those that are useless: s'y <= 0, y = 0, and what is
      not finite; ``reset`` makes it as it was at first;
    - a deep copy is independent;
    - a run in a trust region, in a line search and as a preconditioner, if it fits there,
      minimises a convex function, and one that is saved and taken up again makes the same steps.

    Parameters
    ----------
    approximation : Approximation
        Settings.
    x0 : array, shape (n,)
        Says where: of any library, float32 or float64; n from 2 to 50.
    secant : bool
        Ask for B s = y after each good pair.
    seed : int
        Of the pairs.

    Raises
    ------
    AssertionError
        A promise is not kept; the message says which, and what was found.

    Notes
    -----
    Cost: some hundred applications, and four runs of a function of n variables.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.testing import check_approximation
    >>> check_approximation(hessx.LBFGS(memory=5), np.zeros(6), secant=True)
    """
    space = space_of(to_point(x0))
    posed = _Posed(space, approximation, np.random.default_rng(seed))
    curvature = approximation.begin(Frame(space))
    _check_products(posed, curvature, "at first")
    for k in range(3):
        note = posed.teach(curvature, posed.pair())
        _expect(type(note) is str, f"update gave {note!r}: expected a word, or ''")
        if approximation.learns in (Learns.ACCEPTED, Learns.EVERY):
            _expect(note == "", f"a pair of a convex function was {note!r}: expected ''")
            if secant:
                s, y = posed.last
                posed.near(curvature.matvec(s), y, "B s = y", size=float(np.linalg.norm(posed.H)))
        _check_products(posed, curvature, f"after {k + 1} pairs")
    _check_copies(posed, curvature)
    _check_useless_pairs(posed, curvature)
    _check_reset(posed, curvature)
    _check_runs(posed)


@dataclass
class _Posed:
    """A convex quadratic, and the questions about it; arithmetic of the checks is NumPy's."""

    space: Space
    approximation: Approximation
    rng: np.random.Generator

    def __post_init__(self) -> None:
        n = self.space.n
        Q, _ = np.linalg.qr(self.rng.standard_normal((n, n)))
        self.H = Q * np.linspace(1.0, 10.0, n) @ Q.T
        self.last: tuple[Array, Array] = (None, None)

    def vector(self) -> Array:
        return self.there(self.rng.standard_normal(self.space.n))

    def there(self, v: np.ndarray) -> Array:
        return like(self.space, v, "v")

    def host(self, v: Array) -> np.ndarray:
        return np.asarray(to_host(v), dtype=np.float64)

    def pair(self, scale: float = 1.0) -> tuple[Array, Array]:
        s = self.rng.standard_normal(self.space.n)
        s = self.host(self.there(s))
        self.last = self.there(s), self.there(scale * self.H @ s)
        return self.last

    def teach(self, curvature: Curvature, pair: tuple[Array, Array]) -> str:
        """Do what a run does with an accepted pair."""
        s, y = pair
        found, packet = Pair(s, y), Packet(self.space)
        packet.ask(s_y=s @ y, y_y=y @ y, s_s=s @ s)
        curvature.measure(found, packet)
        curvature.hold(packet)
        found.numbers = packet.fetch()
        found.s_y, found.y_y = found.numbers["s_y"], found.numbers["y_y"]
        found.s_s = found.numbers["s_s"]
        note = curvature.update(found)
        curvature.leave()
        self.arrive(curvature)
        return note

    def arrive(self, curvature: Curvature) -> None:
        if curvature.waits:
            curvature.at(_Hessian(self))

    def near(self, found: Array, expected: Array, what: str, size: float = 1.0) -> None:
        a, b = self.host(found), self.host(expected)
        most = _MANY * self.space.eps * size * max(1.0, np.abs(b).max())
        error = np.abs(a - b).max()
        _expect(error <= most, f"{what}: off by {error:.2g}, at most {most:.2g} expected")


class _Hessian:
    """H as the oracle hands it out."""

    def __init__(self, posed: _Posed) -> None:
        self.posed = posed

    def __call__(self, v: Array) -> Array:
        return self.posed.there(self.posed.H @ self.posed.host(v))

    def diagonal(self) -> Array:
        return self.posed.there(np.diag(self.posed.H).copy())


def _expect(holds: bool, message: str) -> None:
    if not holds:
        raise AssertionError(message)


def _check_products(posed: _Posed, curvature: Curvature, when: str) -> None:
    """Kinds, linearity, symmetry, definiteness, and what belongs together."""
    posed.arrive(curvature)
    offers, space = posed.approximation.offers, posed.space
    applies: dict[str, _Apply] = {}
    if Offer.SOLVE in offers:
        applies["solve"] = curvature.solve
    if Offer.MATVEC in offers:
        applies["matvec"] = curvature.matvec
    _expect(bool(applies), f"offers {offers}: expected SOLVE or MATVEC, or both")
    u, v = posed.vector(), posed.vector()
    for name, apply in applies.items():
        what, before = f"{name} {when}", posed.host(v)
        first = apply(v)
        with record_fetches() as ledger:
            again = apply(v)
        _expect(ledger.fetches == 0, f"{what} fetches: expected no wait for the device")
        mismatch = space.mismatch(first)
        _expect(mismatch is None, f"{what} gave an array of another kind than v: {mismatch}")
        _expect(first.shape == v.shape, f"{what} gave shape {first.shape}: expected {v.shape}")
        _expect(bool((posed.host(v) == before).all()), f"{what} wrote into v")
        posed.near(again, first, f"{what}, twice")
        size = max(1.0, float(np.abs(posed.host(first)).max()))
        posed.near(apply(u * 2.0 + v), apply(u) * 2.0 + first, f"{what} is not linear", size)
        left, right = posed.host(u) @ posed.host(first), posed.host(v) @ posed.host(apply(u))
        most = _MANY * space.eps * size * space.n
        _expect(abs(left - right) <= most, f"{what}: u'(A v) - v'(A u) = {left - right:.2g}")
        if posed.approximation.positive:
            square = posed.host(v) @ posed.host(first)
            _expect(square > 0.0, f"{what}: v'(A v) = {square:.2g}, and it says it is positive")
    if len(applies) == 2:
        size = 10.0 + float(np.linalg.norm(posed.host(curvature.matvec(v))))
        posed.near(curvature.matvec(curvature.solve(v)), v, f"B A v = v {when}", size)
    B = curvature.matvec if Offer.MATVEC in offers else None
    if B is not None and Offer.DENSE in offers:
        posed.near(curvature.dense() @ v, B(v), f"dense() v = B v {when}", 10.0)
    if B is not None and Offer.DIAGONAL in offers:
        units = [posed.there(e) for e in np.eye(space.n)]
        expected = posed.there(np.array([posed.host(B(e))[i] for i, e in enumerate(units)]))
        posed.near(curvature.diagonal(), expected, f"diagonal() {when}", 10.0)
    if B is not None and Offer.SHIFTED in offers:
        x = curvature.solve_shifted(v, 0.5)
        posed.near(B(x) + x * 0.5, v, f"(B + sigma I) solve_shifted(v, sigma) = v {when}", 10.0)


def _any_apply(posed: _Posed, curvature: Curvature) -> _Apply:
    return curvature.solve if Offer.SOLVE in posed.approximation.offers else curvature.matvec


def _check_copies(posed: _Posed, curvature: Curvature) -> None:
    v = posed.vector()
    kept = posed.host(_any_apply(posed, curvature)(v))
    twin = copy.deepcopy(curvature)
    posed.arrive(twin)
    same = posed.host(_any_apply(posed, twin)(v))
    _expect(bool((same == kept).all()), "a deep copy is another matrix")
    posed.teach(curvature, posed.pair(2.0))
    still = posed.host(_any_apply(posed, twin)(v))
    _expect(bool((still == kept).all()), "a deep copy changed with what it was copied from")


def _check_useless_pairs(posed: _Posed, curvature: Curvature) -> None:
    n, positive = posed.space.n, posed.approximation.positive
    s, v = posed.rng.standard_normal(n), posed.vector()
    useless = {
        "s'y < 0": -posed.H @ s, "y = 0": np.zeros(n), "a y with inf": np.full(n, math.inf),
        "a y with nan": np.full(n, math.nan),
    }  # fmt: skip
    with np.errstate(all="ignore"):
        for what, y in useless.items():
            posed.teach(curvature, (posed.there(s), posed.there(y)))
            found = posed.host(_any_apply(posed, curvature)(v))
            _expect(bool(np.isfinite(found).all()), f"after a pair with {what}: not finite")
            square = posed.host(v) @ found
            _expect(square > 0.0 or not positive, f"after a pair with {what}: not positive")


def _check_reset(posed: _Posed, curvature: Curvature) -> None:
    if posed.approximation.learns not in (Learns.ACCEPTED, Learns.EVERY):
        return
    v, fresh = posed.vector(), posed.approximation.begin(Frame(posed.space))
    if curvature.reset():
        posed.arrive(fresh)
        found, expected = (_any_apply(posed, part)(v) for part in (curvature, fresh))
        posed.near(found, expected, "after reset, as at first")
        _expect(not curvature.reset(), "reset twice says twice that there was something to forget")
    posed.teach(curvature, posed.pair())
    _check_products(posed, curvature, "after reset and a pair")


def _check_runs(posed: _Posed) -> None:
    """Everywhere it fits."""
    part, offers = posed.approximation, posed.approximation.offers
    H, center = posed.there(posed.H), posed.there(np.ones(posed.space.n))
    x0 = posed.space.shaped(posed.there(np.zeros(posed.space.n)))

    def fun(x: Array) -> tuple[Array, Array]:
        e = posed.space.flat(x) - center
        g, square = H @ e, e @ e
        return 0.5 * (e @ g) + 0.25 * square * square, posed.space.shaped(g + e * square)

    def hess(x: Array) -> Array:
        e = posed.space.flat(x) - center
        return H + (e @ e) * posed.there(np.eye(posed.space.n)) + 2.0 * e[:, None] * e[None, :]

    methods: dict[str, Any] = {"a preconditioner": None, "a trust region": None}
    if part.positive:
        methods["a line search"] = hessx.LineSearchMethod(part, hessx.HagerZhang())
        methods["a preconditioner"] = hessx.TrustRegionMethod(preconditioner=part)
    if Offer.MATVEC in offers or part.positive:
        methods["a trust region"] = hessx.TrustRegionMethod(part)
    tolerance = posed.space.eps**0.375
    for where, method in methods.items():
        if method is None:
            continue
        given = {"jac": True, "method": method, "options": {"gtol": tolerance, "maxiter": 2000}}
        needs = where == "a preconditioner" or Wants.HESSIAN in part.wants
        given |= {"hess": hess} if needs else {}
        result = hessx.minimize(fun, x0, **given)
        _expect(result.success, f"in {where}: {result.message}")
        mismatch = posed.space.mismatch(posed.space.flat(result.x))
        _expect(mismatch is None, f"in {where} x became an array of another kind: {mismatch}")
        error = np.abs(posed.host(posed.space.flat(result.x)) - 1.0).max()
        _expect(
            error <= tolerance, f"in {where}: x is off by {error:.2g}, {tolerance:.2g} expected"
        )
        given["options"] = {"gtol": tolerance, "maxiter": min(3, result.nit - 1)}
        short = hessx.minimize(fun, x0, **given)
        file = io.BytesIO()
        hessx.save(file, short)
        file.seek(0)
        given["options"] = {"gtol": tolerance, "maxiter": 2000}
        resumed = hessx.minimize(fun, x0, resume=file, **given)
        same = bool((posed.host(resumed.x) == posed.host(result.x)).all())
        _expect(same, f"in {where} a run that was saved and taken up ends elsewhere")
