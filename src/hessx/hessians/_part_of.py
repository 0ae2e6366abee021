"""What a part sees that stands for some of the variables: its Hessian, and its share of a pair."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Numbers, Packet, under
from hessx.core import Frame, Learns, Pair, SettingsError
from hessx.hessians._family import Approximation, Curvature
from hessx.hessians._sparse import Sparse
from hessx.hessians._sparse_newton import SparseNewton
from hessx.hessians._subsets import Subset
from hessx.krylov import never
from hessx.objectives import check_symmetric, jacobian_columns
from hessx.operators import DenseOperator

__all__ = [
    "RestrictedHessian",
    "check_inside",
    "measure_part",
    "prepare_in_turn",
    "takes_pairs",
    "update_part",
]

_OWN = "own: "  # before the names of what the part itself asks for


class RestrictedHessian:
    """V H V' as an oracle hands a Hessian out; each product is one with H.

    Parameters
    ----------
    subset : Subset
        V.
    frame : Frame
        Of z, where V is one of directions.
    hessian : HessianAt
        H.
    """

    __slots__ = ("hessian", "product", "scale", "space", "subset")

    def __init__(self, subset: Subset, frame: Frame, hessian: Any) -> None:
        self.subset, self.hessian, self.space = subset, hessian, subset.space
        self.scale = None if subset.axes else frame.scale
        self.product: Callable[[Array], Array] = hessian if subset.axes else frame.product(hessian)

    def __call__(self, c: Array) -> Array:
        """Multiply."""
        return self.subset.cut(self.product(self.subset.place(c)))

    def diagonal(self) -> Array | None:
        """Give the diagonal where that of H is known, and V is of unit vectors."""
        known = self.hessian.diagonal() if self.subset.axes else None
        return None if known is None else self.subset.cut(known)

    def dense(self, watch: Callable[[], bool] = never, *, check: bool = True) -> Array | None:
        """Give the matrix: k products, or what is cut out of an array of the user's.

        Raises
        ------
        ValueError
            With ``check``, what is cut out is not symmetric, for one fetch.
        """
        space, known = self.space, getattr(self.hessian, "operator", None)
        if self.subset.axes and isinstance(known, DenseOperator):
            H = self.subset.matrix(known.A) * self.hessian.sign
            if check:
                check_symmetric(space, H)
            return 0.5 * H + 0.5 * H.T
        units = space.xp.eye(space.n, dtype=space.dtype, device=space.device)
        columns = []
        for i in range(space.n):
            columns.append(self(units[i, ...]) + 0.0)
            if watch() and i + 1 < space.n:
                return None
        H = space.xp.stack(columns)
        return 0.5 * H + 0.5 * H.T

    @property
    def counts(self) -> Any:
        """Of the products."""
        return self.hessian.counts

    @property
    def r(self) -> Array:
        """The residual, shape (m,)."""
        return self.hessian.r

    @property
    def matrix(self) -> Array | None:
        """J V' where J is an array, shape (m, k)."""
        J = self.hessian.matrix
        if J is None:
            return None
        return self.subset.cut(J if self.scale is None else J * self.scale)

    def jvp(self, c: Array) -> Array:
        """J V'c, shape (m,)."""
        v = self.subset.place(c)
        return self.hessian.jvp(v if self.scale is None else v * self.scale)

    def columns(self, watch: Callable[[], bool] = never) -> Array | None:
        """Give J V', by k products J v where J is no array; None where ``watch`` has ended it."""
        return jacobian_columns(self, watch)


def check_inside(name: str, part: Approximation) -> None:
    """Refuse what needs the whole Hessian.

    Raises
    ------
    SettingsError
        A part on a pattern.
    """
    if isinstance(part, Sparse | SparseNewton):
        msg = (
            f"{name} = {type(part).__name__}(...) takes the Hessian of all variables: expected it "
            "alone, or hessx.Newton() on a part"
        )
        raise SettingsError(msg)


def measure_part(subset: Subset, part: Curvature, pair: Pair, packet: Packet, name: str) -> Pair:
    """Cut a pair to a subset, and ask for its numbers and those that the part learns from.

    Parameters
    ----------
    subset : Subset
        Of the part.
    part : Curvature
        That learns.
    pair : Pair
        Of the trial, without its numbers.
    packet : Packet
        Of the trial.
    name : str
        Before the names of all that is asked for.

    Returns
    -------
    Pair
        For `update_part`.
    """
    s, y = subset.cut(pair.s), subset.cut(pair.y)
    own = Pair(s, y)
    mine = packet.under(packet.prefix + name)
    mine.ask(s_y=s @ y, y_y=y @ y, s_s=s @ s)
    if pair.product is not None and part.sized:
        own.product, own.multiple = subset.cut(pair.product), pair.multiple
        mine.ask(s_B_s=(s @ own.product) * own.multiple)
    part.measure(own, packet.under(packet.prefix + name + _OWN))
    packet.hold(own, "s", "y", "product")
    return own


def update_part(part: Curvature, own: Pair, pair: Pair, name: str) -> str:
    """Let a part learn from its share of a pair, whose numbers have come."""
    numbers: Numbers = under(pair.numbers, name)
    own.s_y, own.y_y, own.s_s = numbers["s_y"], numbers["y_y"], numbers["s_s"]
    own.s_B_s = numbers.get("s_B_s", math.nan)
    own.accepted, own.numbers = pair.accepted, under(numbers, _OWN)
    return part.update(own)


def prepare_in_turn(
    parts: list[Curvature], learns: list[Learns], watch: Callable[[], bool]
) -> bool:
    """Let parts be made; none that samples, once one before it has ended the budget."""
    ended = False

    def asked() -> bool:
        nonlocal ended
        ended = watch()
        return ended

    for part, learnt in zip(parts, learns, strict=True):
        if (ended and learnt is Learns.NOTHING) or not part.prepare(asked):
            return False
    return True


def takes_pairs(approximation: Approximation) -> bool:
    """Whether it learns from steps, and not from solves or samples."""
    return approximation.learns in (Learns.ACCEPTED, Learns.EVERY)
