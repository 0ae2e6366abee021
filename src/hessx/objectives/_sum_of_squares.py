"""Sums of squares as oracles: residuals, and their Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any

from hessx._xp import (
    Array,
    Space,
    eps_of,
    first_leaf,
    is_array,
    quiet,
    residual_derivatives_of,
    space_of,
    take_array,
)
from hessx.core import (
    EXACT,
    Counts,
    Precision,
    Reply,
    Request,
    SettingsError,
    Wants,
    store_real,
)
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._hessian import shown
from hessx.objectives._jacobian import Jacobian, take_jacobian
from hessx.objectives._residual_at import ResidualAt
from hessx.objectives._residual_differences import ResidualDifferences

__all__ = ["SumOfSquares"]

_FIRST_ORDER = Wants.VALUE | Wants.GRADIENT | Wants.RESIDUAL
_NAMED = (None, "2-point", "3-point", "autodiff")


class SumOfSquares:
    r"""f(x) = norm(r(x))^2 / 2 with its gradient J'r, for `minimize` in the place of fun.

    Methods that know no residuals minimise f as any function; `GaussNewton` takes J'J for the
    Hessian J'J + sum of r_k H_k, where H_k are those of the residuals.

    Parameters
    ----------
    residual : callable
        ``residual(x, *args)``: r, an array of shape (m,) of x's library, dtype and device; on NumPy
        what NumPy makes one of, as in SciPy, a number too: m = 1.  With ``jac=True`` it gives
        (r, J).
    jac : callable, True, "autodiff", "2-point", "3-point" or None
        ``jac(x, *args)``: the Jacobian, an array of shape (m, n) with columns over the flat x, a
        sparse matrix or an operator with ``matvec`` and ``rmatvec`` of that shape, or a pair of
        products (jvp, vjp), v -> J v and u -> J'u.  "autodiff" on torch and JAX: products by the
        library.  Otherwise by differences of residuals; None means "2-point".
    args : tuple
        Further arguments of both.
    sparsity : optional
        Where J may have entries, for differences: a `Pattern`, or what becomes one of shape (m, n),
        a sparse matrix, an array of bools, or (rows, columns).  As many residuals are evaluated as
        there are colours, groups of columns of which no two share a row.
    rel_step : float, optional
        Of differences, > 0: h_j = rel_step * max(abs(x_j), x_scale_j); by default eps^(1/2), and
        eps^(1/3) for "3-point".
    x_scale : float, array or tree
        Natural size of the variables, > 0, for differences.

    Attributes
    ----------
    counts : Counts
        Residuals as values, differences included, Jacobians as gradients, J'J v as products.
    offers : Wants
        Value, gradient and residual, and where jac gives the Jacobian the Hessian too, by
        differences of the gradient.

    Raises
    ------
    TypeError, ValueError
        residual or jac is none of these; in a run a residual that is not 1-D, of another length
        than the last, or of another library, dtype or device than x, and a Jacobian that does not
        fit it.
    SettingsError
        ``rel_step`` or ``x_scale`` out of range.

    Notes
    -----
    Cost: a residual and a Jacobian per point, which serve value, gradient and what approximations
    are made of; no fetch.  Memory: m + m n numbers for a point, those of two points in a run.  A
    residual that is not finite is trouble of the run, as a value is.

    References
    ----------
    Nocedal & Wright (2006), section 10.1.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> t = np.array([0.0, 1.0, 2.0, 3.0])
    >>> y = np.array([2.0, 0.7, 0.3, 0.1])
    >>> decay = hessx.SumOfSquares(
    ...     lambda x: x[0] * np.exp(-x[1] * t) - y,
    ...     lambda x: np.stack([np.exp(-x[1] * t), -x[0] * t * np.exp(-x[1] * t)], axis=1))
    >>> hessx.minimize(decay, [1.0, 1.0]).x.round(3)
    array([1.995, 1.01 ])
    """

    def __init__(
        self,
        residual: Callable[..., Any],
        jac: Any = None,
        *,
        args: tuple[Any, ...] = (),
        sparsity: Any = None,
        rel_step: float | None = None,
        x_scale: Any = 1.0,
    ) -> None:
        if not callable(residual):
            msg = f"residual is a {type(residual).__name__}: expected a callable residual(x, *args)"
            raise TypeError(msg)
        if not (jac is True or callable(jac) or (isinstance(jac, str | None) and jac in _NAMED)):
            msg = (
                f"{shown('jac', jac)}: expected a callable, True, 'autodiff', '2-point', '3-point' "
                "or None"
            )
            raise ValueError(msg)
        known = jac is True or callable(jac) or jac == "autodiff"
        if known and sparsity is not None:
            msg = "sparsity beside jac: expected jac = '2-point' or '3-point', or no sparsity"
            raise SettingsError(msg)
        self.residual, self.jac, self.sparsity = residual, jac, sparsity
        self.args = args if isinstance(args, tuple) else (args,)
        self.rel_step, self.x_scale = rel_step, x_scale
        if rel_step is not None:
            store_real(self, "rel_step", 0.0)
        if isinstance(x_scale, Real):
            store_real(self, "x_scale", 0.0)
        self.counts = Counts()
        self.offers = _FIRST_ORDER | Wants.HESSIAN if known else _FIRST_ORDER
        self._space: Any = None
        self._rows: Any = None
        self._differences: Any = None
        self._derivatives: Any = None

    def answer(self, request: Request) -> Reply:
        """Evaluate what a request wants; no fetch.

        Parameters
        ----------
        request : Request
            With x in the shape of x0.

        Returns
        -------
        Reply
            With value and gradient the residual too.

        Raises
        ------
        TypeError, ValueError
            What residual or jac returned is no residual, or no Jacobian of it; the Hessian is
            wanted of differences.
        """
        space = self._place(request.x)
        x, wants, ticket = space.flat(request.x), request.wants, request.ticket
        if wants is Wants.HESSIAN:
            return Reply(ticket, hessian=self._hessian(x, request))
        if wants is Wants.VALUE and self.jac is not True:
            r, eps = self._residual_at(x)
            return Reply(ticket, _half_square(r), precision=_precision(eps))
        at, precision = self._evaluate(x)
        if wants is Wants.RESIDUAL:
            return Reply(ticket, residual=at)
        grad = space.shaped(at.vjp(at.r))
        return Reply(ticket, _half_square(at.r), grad, precision=precision, residual=at)

    def _place(self, x: Any) -> Space:
        """Give the space of x, as long as it is that of the point before."""
        space: Space | None = self._space
        if space is None or not _lives_in(space, x):
            self._space = space = space_of(x)
            self._rows = None
            self._differences = ResidualDifferences(
                space,
                lambda x: self._residual_at(x)[0],
                self.jac == "3-point",
                self.rel_step,
                self.x_scale,
                self.sparsity,
            )
            if self.jac == "autodiff":
                self._derivatives = residual_derivatives_of(
                    space, lambda x: self.residual(x, *self.args)
                )
        return space

    def _evaluate(self, x: Array) -> tuple[ResidualAt, Precision]:
        """Residual and Jacobian at a point."""
        space: Any = self._space
        if self.jac is True:
            self.counts.values += 1
            self.counts.gradients += 1
            given = self.residual(space.for_user(x), *self.args)
            if not (isinstance(given, tuple | list) and len(given) == 2):
                msg = (
                    f"residual returned a {type(given).__name__}: expected (r, J) because of "
                    "jac=True"
                )
                raise TypeError(msg)
            r, eps = self._taken(given[0])
            J, precision = take_jacobian(space, self._rows, given[1]), _precision(eps)
        elif self.jac == "autodiff":
            r, J, precision = self._derived(x)
        else:
            r, eps = self._residual_at(x)
            J, precision = self._jacobian_at(x, r, eps)
        return ResidualAt(space, r, J, self.counts), precision

    def _derived(self, x: Array) -> tuple[Array, Jacobian, Precision]:
        """Residual and products by the library's derivatives."""
        self.counts.values += 1
        self.counts.gradients += 1
        given, *products = self._derivatives.linearise(self._space.shaped(x))
        r, eps = self._taken(given)
        return r, take_jacobian(self._space, self._rows, tuple(products)), _precision(eps)

    def _jacobian_at(self, x: Array, r: Array, eps: float) -> tuple[Jacobian, Precision]:
        space: Any = self._space
        self.counts.gradients += 1
        if callable(self.jac):
            given = self.jac(space.for_user(x), *self.args)
            return take_jacobian(space, self._rows, given), _precision(eps)
        J, moved = self._differences(x, r, eps)
        return J, Precision(max(eps, space.eps), moved)

    def _residual_at(self, x: Array) -> tuple[Array, float]:
        """R(x), and the eps of its dtype."""
        self.counts.values += 1
        return self._taken(self.residual(self._space.for_user(x), *self.args))

    def _taken(self, given: Any) -> tuple[Array, float]:
        """Check a residual; it may be a buffer that the next call writes again."""
        space: Any = self._space
        if isinstance(given, tuple) and len(given) == 2 and len(getattr(given[1], "shape", ())) > 1:
            msg = "residual returned a tuple, of r and J as it seems: expected r alone, or jac=True"
            raise TypeError(msg)
        r = take_array(space, given, "residual(x)", "x")
        if r.ndim == 0 and space.kind == "numpy":
            r = r[None]
        if r.ndim != 1 or r.shape[0] == 0:
            msg = f"residual(x) has shape {tuple(r.shape)}: expected (m,), 1-D, with m > 0"
            raise ValueError(msg)
        if self._rows is None:
            self._rows = space_of(r)
        if r.shape[0] != self._rows.n:
            msg = f"residual(x) has {r.shape[0]} entries, and had {self._rows.n} before"
            raise ValueError(msg + ": expected the same number at every x")
        return space.copy(r) if space.writeable else r, eps_of(given)

    def _hessian(self, x: Array, request: Request) -> DifferenceProduct:
        """Give v -> H v with the whole Hessian, by differences of the gradient J'r."""
        if Wants.HESSIAN not in self.offers:
            msg = (
                "the sum of squares offers no Hessian with a Jacobian by differences: give jac, or "
                "take a method that needs none, such as method='lm'"
            )
            raise ValueError(msg)
        space: Any = self._space

        def gradient_at(x: Array) -> Array:
            at, _ = self._evaluate(x)
            return at.vjp(at.r)

        known = request.grad
        grad = gradient_at(x) if known is None else space.flat(known())
        scale = self.x_scale
        if not isinstance(scale, Real):
            scale = self._differences.x_scale
        return DifferenceProduct(space, gradient_at, x, grad, False, scale, request.coarse)


def _half_square(r: Array) -> Array:
    with quiet():  # of a residual far out
        return 0.5 * (r @ r)


def _precision(eps: float) -> Precision:
    return Precision(eps) if eps else EXACT


def _lives_in(space: Space, x: Any) -> bool:
    if space.mismatch(first_leaf(x)) is not None:
        return False
    if is_array(x):
        return space.tree is None and tuple(x.shape) == space.shape
    return space_of(x).tree == space.tree
