"""Fisher's matrix of one batch: the gradients of its rows, and a multiple of the identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hessx._xp import Array, Packet, Space, eigenbases, in_one_piece
from hessx.core import Frame, Learns, Offer, saved, store_choice, store_real
from hessx.hessians._applied import applied
from hessx.hessians._family import Approximation, Curvature
from hessx.operators import LinearOperator

__all__ = ["Fisher", "FisherCurvature"]


@saved
class FisherCurvature(Curvature):
    """B = J'J + damping I; I until a batch has come.

    Attributes
    ----------
    J : array, shape (rows, n), optional
        Gradients of the rows in z, divided by the root of their number.
    Q : array, shape (rows, rows), optional
        Eigenvectors of J J', in columns.
    shrink : array, shape (rows,), optional
        1 / (w + damping), w the eigenvalues.
    """

    __slots__ = ("J", "Q", "frame", "settings", "shrink")

    def __init__(self, frame: Frame, settings: Fisher) -> None:
        self.frame, self.settings = frame, settings
        self.J: Array = None
        self.Q: Array = None
        self.shrink: Array = None

    @property
    def active(self) -> bool:  # type: ignore[override]
        """Whether there is more than I."""
        return self.J is not None

    @property
    def sized(self) -> bool:  # type: ignore[override]
        """Whether A has a size."""
        return self.active

    def hold(self, packet: Packet) -> None:
        """Name the arrays."""
        packet.hold(self, "J", "Q", "shrink")

    def update(self, rows: Any) -> str:
        """Take the gradients of a batch, in the place of those before; no fetch."""
        frame = self.frame
        space, xp = frame.space, frame.space.xp
        given = self.settings.labels == "given"
        J = rows.matrix() if given else _rows_of(space, rows)
        J = in_one_piece(space, J if frame.scale is None else J * frame.scale) / J.shape[0] ** 0.5
        [(w, self.Q)] = eigenbases(space, [J @ J.T])
        self.J = J
        self.shrink = 1.0 / (xp.where(w < 0.0, space.zeros(()), w) + self.settings.damping)
        return ""

    def reset(self) -> bool:
        """Forget the batch."""
        had = self.active
        self.J = self.Q = self.shrink = None
        return had

    def solve(self, v: Array) -> Array:
        """A v = (v - J' (J J' + damping I)^-1 J v) / damping (Woodbury), in rows x rows."""
        return self.solve_shifted(v, 0.0)

    def solve_shifted(self, v: Array, sigma: float) -> Array:
        """(B + sigma I)^-1 v, in rows x rows."""
        if self.J is None:
            return v / (1.0 + sigma)
        shrink = self.shrink if sigma == 0.0 else self.shrink / (1.0 + sigma * self.shrink)
        inside = ((v @ self.J.T) @ self.Q) * shrink
        return (v - (inside @ self.Q.T) @ self.J) / (self.settings.damping + sigma)

    def matvec(self, v: Array) -> Array:
        """J'(J v) + damping v."""
        return v + 0.0 if self.J is None else (v @ self.J.T) @ self.J + v * self.settings.damping

    def diagonal(self) -> Array:
        """Sums of squares of the columns of J, + damping."""
        space = self.frame.space
        if self.J is None:
            return space.zeros(space.n) + 1.0
        return space.xp.sum(self.J * self.J, axis=0) + self.settings.damping

    def dense(self) -> Array:
        """B in z."""
        space = self.frame.space
        return self.matvec(space.xp.eye(space.n, dtype=space.dtype, device=space.device))

    def operator(self, *, inverse: bool) -> LinearOperator:
        """A or B in x, as it stands."""
        kept = FisherCurvature(self.frame, self.settings)
        kept.J, kept.Q, kept.shrink = self.J, self.Q, self.shrink
        return applied(self.frame, kept, inverse=inverse)


def _rows_of(space: Space, layers: list[Any]) -> Array:
    """Give the gradient of each row by the layers, outer(inputs, slopes), shape (rows, n)."""
    xp, parts = space.xp, []
    for layer in sorted(layers, key=lambda layer: layer.span.start):
        outer = layer.inputs[:, :, None] * layer.slopes[:, None, :]
        parts.append(xp.reshape(outer, (outer.shape[0], -1)))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=1)


@saved
@dataclass(frozen=True, slots=True)
class Fisher(Approximation):
    r"""B = mean(g_i g_i') + damping I, g_i the gradients of the rows of a batch.

    Parameters
    ----------
    damping : float
        > 0, of the unit of the Hessian.
    labels : {"given", "sampled"}
        Gradients for the labels of the data (the empirical Fisher), or for labels drawn from the
        model (Fisher's matrix, up to the draw).

    Raises
    ------
    SettingsError
        A setting out of range.

    Notes
    -----
    The last batch alone counts.  It learns from gradients of rows, `Reply.per_sample`, or with
    drawn labels from `LayerFactors`: `hessx.Preconditioned` is the rule around it.

    Memory: (rows + 2) n + 2 rows^2 numbers.  Cost: rows^2 n + 9 rows^3 operations for a batch,
    2 rows n multiplications for an application; no fetch, but one for a batch where the library has
    no eigh.  The solve loses digits as eps times the largest eigenvalue passes damping.

    References
    ----------
    Amari (1998), Natural gradient works efficiently in learning.  Kunstner, Balles & Hennig (2019),
    Limitations of the empirical Fisher approximation: what given labels cost.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> from hessx.core import Frame, LayerFactors
    >>> part = hessx.Fisher(damping=0.5, labels="sampled").begin(Frame(np.zeros(2)))
    >>> X, slopes = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([[3.0], [-1.0]])
    >>> part.update([LayerFactors(slice(0, 2), X, slopes)])
    ''
    >>> part.solve(np.array([5.0, 5.0])).round(12)
    array([1., 2.])
    """

    damping: float = 1e-3
    labels: str = "given"
    offers = Offer.SOLVE | Offer.MATVEC | Offer.SHIFTED | Offer.DENSE | Offer.DIAGONAL

    def __post_init__(self) -> None:
        store_real(self, "damping", 0.0)
        store_choice(self, "labels", "given", "sampled")

    @property
    def learns(self) -> Learns:  # type: ignore[override]
        """From gradients of rows, or from layers, where labels are drawn."""
        return Learns.PER_SAMPLE if self.labels == "given" else Learns.FACTORS

    def begin(self, frame: Frame) -> FisherCurvature:
        """Begin with I, until a batch has come."""
        return FisherCurvature(frame, self)
