"""Group partially separable functions, the form of every CUTEst objective.

    f(x) = sum over groups i of  F_i(r_i(x)) / s_i  +  x'Hx / 2,
    r_i(x) = a_i'x - c_i + sum over elements e of  w_ie phi_e(x)

with group functions F_i, scales s_i, and element functions phi_e of a few variables each.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hessx.study.cutest.lanes import Array, Evaluate, fastest
from hessx.study.cutest.structure import ElementType, GroupType, read

__all__ = ["GroupSum"]


@dataclass(frozen=True)
class _Local:
    """Element and group functions at x, with their derivatives up to `order` - 1.

    `elements` has a tuple per element type, `groups` is one tuple for all groups.
    """

    x: Array
    order: int
    elements: list[tuple[Array, ...]]
    groups: tuple[Array, ...]


class GroupSum:
    """The objective of an S2MPJ problem, with all elements of one type evaluated at once.

    The value, the gradient and products with the Hessian agree with S2MPJ's own evaluator up to
    the rounding of the sums, which are taken in another order. An overflow gives inf or nan.

    Parameters
    ----------
    source : object
        An S2MPJ problem.

    Notes
    -----
    With ``J`` the Jacobian of the ``r_i``: ``g = J'(F'/s) + H x`` and
    ``Hess p = J'((F''/s) (J p)) + sum_e (sum_i w_ie F_i'/s_i) Hess(phi_e) p + H p``.
    One call costs a few array operations per element type and group type.

    References
    ----------
    A. R. Conn, N. I. M. Gould and Ph. L. Toint, "LANCELOT", Springer, 1992, chapter 2.
    """

    def __init__(self, source: Any) -> None:
        self._structure = structure = read(source)
        self._linear_t = structure.linear.T.tocsr()
        self._weights_t = structure.weights.T.tocsr()
        self._scatter = np.concatenate(
            [np.zeros(0, np.intp), *(e.variables.ravel() for e in structure.elements)]
        )
        self._cached: _Local | None = None

        def chosen(type_: ElementType | GroupType, variables: Array) -> Evaluate:
            return fastest(type_.function, source, type_.numbers, type_.parameters, variables)

        with np.errstate(all="ignore"):
            near = _near_start(source)
            self._elements = [chosen(e, near[e.variables]) for e in structure.elements]
            inner = self._inner(near, self._element_values(near, 1))
            self._groups = [chosen(g, inner[g.positions]) for g in structure.groups]

    def fun_and_grad(self, x: Array) -> tuple[float, Array]:
        """Value and gradient at `x`.

        Parameters
        ----------
        x : ndarray, shape (n,)

        Returns
        -------
        float
        ndarray, shape (n,)
        """
        quadratic = self._structure.quadratic
        with np.errstate(all="ignore"):
            local = self._at(x, 2)
            value, slope = (part / self._structure.scale for part in local.groups[:2])
            fun = float(np.sum(value))
            grad = self._jacobian_t(local, slope)
            if quadratic is not None:
                product = quadratic @ x
                fun += float(0.5 * (x @ product))
                grad += product
        return fun, grad

    def hessp(self, x: Array, p: Array) -> Array:
        """The Hessian at `x` times `p`.

        Further products at the same `x` reuse its element functions.

        Parameters
        ----------
        x, p : ndarray, shape (n,)

        Returns
        -------
        ndarray, shape (n,)
        """
        structure = self._structure
        with np.errstate(all="ignore"):
            local = self._at(x, 3)
            slope, curvature = (part / structure.scale for part in local.groups[1:])
            own = [p[e.variables] for e in structure.elements]
            along = _joined(
                [np.sum(part[1] * d, axis=0) for part, d in zip(local.elements, own, strict=True)]
            )
            change = structure.linear @ p + structure.weights @ along
            force = self._weights_t @ slope
            curved = [
                force[e.positions] * np.einsum("ijn,jn->in", part[2], d)
                for e, part, d in zip(structure.elements, local.elements, own, strict=True)
            ]
            product = self._jacobian_t(local, curvature * change) + self._scattered(curved)
            if structure.quadratic is not None:
                product += structure.quadratic @ p
        return product

    def _at(self, x: Array, order: int) -> _Local:
        cached = self._cached
        if cached is None or cached.order < order or not np.array_equal(cached.x, x):
            elements = self._element_values(x, order)
            groups = self._group_values(self._inner(x, elements), order)
            cached = self._cached = _Local(x.copy(), order, elements, groups)
        return cached

    def _element_values(self, x: Array, order: int) -> list[tuple[Array, ...]]:
        types = zip(self._structure.elements, self._elements, strict=True)
        return [evaluate(order, x[e.variables]) for e, evaluate in types]

    def _inner(self, x: Array, elements: list[tuple[Array, ...]]) -> Array:
        structure = self._structure
        phi = _joined([parts[0] for parts in elements])
        inner: Array = structure.linear @ x - structure.constant + structure.weights @ phi
        return inner

    def _group_values(self, inner: Array, order: int) -> tuple[Array, ...]:
        # First the identity everywhere, then the groups that have another function.
        whole = (inner.copy(), np.ones_like(inner), np.zeros_like(inner))[:order]
        for group, evaluate in zip(self._structure.groups, self._groups, strict=True):
            parts = evaluate(order, inner[group.positions])
            for target, part in zip(whole, parts, strict=True):
                target[group.positions] = part
        return whole

    def _jacobian_t(self, local: _Local, multipliers: Array) -> Array:
        force = self._weights_t @ multipliers
        entries = [
            part[1] * force[e.positions]
            for e, part in zip(self._structure.elements, local.elements, strict=True)
        ]
        product: Array = self._linear_t @ multipliers + self._scattered(entries)
        return product

    def _scattered(self, entries: list[Array]) -> Array:
        flat = _joined([entry.ravel() for entry in entries])
        sums = np.bincount(self._scatter, weights=flat, minlength=self._structure.n)
        return np.asarray(sums, dtype=np.float64)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0)


def _near_start(source: Any) -> Array:
    x0 = np.asarray(source.x0, dtype=np.float64).reshape(-1)
    u = np.random.default_rng(0).uniform(-1.0, 1.0, len(x0))
    return x0 + 1e-2 * u * np.maximum(np.abs(x0), 1.0)
