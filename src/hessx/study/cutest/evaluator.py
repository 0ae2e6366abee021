"""Group partially separable functions, the form of every CUTEst objective.

    f(x) = sum over groups i of  F_i(r_i(x)) / s_i  +  x'Hx / 2,
    r_i(x) = a_i'x - c_i + sum over elements e of  w_ie phi_e(x)

with group functions F_i, scales s_i, and element functions phi_e of a few variables each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from hessx.study.cutest.lanes import Array, Evaluate, fastest

__all__ = ["GroupSum"]

Indices = npt.NDArray[np.intp]

# S2MPJ takes a smaller group scale for absent.
_SMALLEST_SCALE = 1e-15


@dataclass(frozen=True)
class _Elements:
    """All elements of one type: `positions` among all elements, `variables` of shape (k, N)."""

    positions: slice
    variables: Indices
    evaluate: Evaluate


@dataclass(frozen=True)
class _Groups:
    """All groups of one type: their `positions` among the groups; None is the identity."""

    positions: Indices
    evaluate: Evaluate | None


@dataclass(frozen=True)
class _Local:
    """Element and group functions at one point, with their derivatives up to `order` - 1."""

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
    A. R. Conn, N. I. M. Gould and Ph. L. Toint, "LANCELOT", Springer, 1992, section 2.1.
    """

    def __init__(self, source: Any) -> None:
        source.getglobs()
        self.n = int(source.n)
        groups = np.asarray(getattr(source, "objgrps", ()), dtype=np.intp)
        used = [_list_at(source, "grelt", ig) for ig in groups]
        by_type: dict[str, list[int]] = defaultdict(list)
        for iel in dict.fromkeys(int(iel) for elements in used for iel in elements):
            by_type[source.elftype[iel]].append(iel)
        place = {iel: k for k, iel in enumerate(iel for own in by_type.values() for iel in own)}

        self._linear = _linear_terms(source, groups, self.n)
        self._linear_t = self._linear.T.tocsr()
        self._constant = np.array([_number_at(source, "gconst", ig, 0.0) for ig in groups])
        scale = np.array([_number_at(source, "gscale", ig, 1.0) for ig in groups])
        self._scale = np.where(np.abs(scale) > _SMALLEST_SCALE, scale, 1.0)
        self._weights = _weights(source, groups, used, place)
        self._weights_t = self._weights.T.tocsr()
        self._quadratic = csr_array(source.H) if hasattr(source, "H") else None

        near = _near_start(source)
        self._elements = list(_element_types(source, by_type, near))
        self._scatter = np.concatenate(
            [np.zeros(0, np.intp), *(e.variables.ravel() for e in self._elements)]
        )
        self._groups = _group_types(source, groups, self._inner(near, self._values(near, 1)))
        self._cached: _Local | None = None

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
        with np.errstate(all="ignore"):
            local = self._at(x, 2)
            value, slope = local.groups[0], local.groups[1] / self._scale
            fun = float(np.sum(value / self._scale))
            grad = self._jacobian_t(local, slope, self._weights_t @ slope)
            if self._quadratic is not None:
                product = self._quadratic @ x
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
        with np.errstate(all="ignore"):
            local = self._at(x, 3)
            slope, curvature = (part / self._scale for part in local.groups[1:])
            own = [p[e.variables] for e in self._elements]
            along = [
                np.sum(part[1] * d, axis=0) for part, d in zip(local.elements, own, strict=True)
            ]
            bend = curvature * (self._linear @ p + self._weights @ _joined(along))
            force = self._weights_t @ slope
            curved = [
                force[e.positions] * np.einsum("ijn,jn->in", part[2], d)
                for e, part, d in zip(self._elements, local.elements, own, strict=True)
            ]
            product = self._jacobian_t(local, bend, self._weights_t @ bend)
            product += self._scattered(curved)
            if self._quadratic is not None:
                product += self._quadratic @ p
        return product

    def _at(self, x: Array, order: int) -> _Local:
        cached = self._cached
        if cached is None or cached.order < order or not np.array_equal(cached.x, x):
            elements = self._values(x, order)
            groups = self._group_values(self._inner(x, elements), order)
            cached = self._cached = _Local(x.copy(), order, elements, groups)
        return cached

    def _values(self, x: Array, order: int) -> list[tuple[Array, ...]]:
        return [e.evaluate(order, x[e.variables]) for e in self._elements]

    def _inner(self, x: Array, elements: list[tuple[Array, ...]]) -> Array:
        phi = _joined([parts[0] for parts in elements])
        inner: Array = self._linear @ x - self._constant + self._weights @ phi
        return inner

    def _group_values(self, inner: Array, order: int) -> tuple[Array, ...]:
        # The identity's values; groups with a function of their own then overwrite theirs.
        whole = (inner.copy(), np.ones_like(inner), np.zeros_like(inner))[:order]
        for group in self._groups:
            if group.evaluate is not None:
                parts = group.evaluate(order, inner[group.positions])
                for target, part in zip(whole, parts, strict=True):
                    target[group.positions] = part
        return whole

    def _jacobian_t(self, local: _Local, groups: Array, elements: Array) -> Array:
        """``J' groups``, given also ``elements``, the same multipliers carried to the elements."""
        entries = [
            part[1] * elements[e.positions]
            for e, part in zip(self._elements, local.elements, strict=True)
        ]
        result: Array = self._linear_t @ groups + self._scattered(entries)
        return result

    def _scattered(self, entries: list[Array]) -> Array:
        flat = _joined([entry.ravel() for entry in entries])
        sums = np.bincount(self._scatter, weights=flat, minlength=self.n)
        return np.asarray(sums, dtype=np.float64)


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0)


def _list_at(source: Any, name: str, index: int) -> Any:
    lists = getattr(source, name, ())
    return lists[index] if index < len(lists) and lists[index] is not None else ()


def _number_at(source: Any, name: str, index: int, default: float) -> float:
    numbers = np.ravel(getattr(source, name, ()))
    known = index < len(numbers) and numbers[index] is not None
    return float(numbers[index]) if known else default


def _linear_terms(source: Any, groups: Indices, n: int) -> csr_array:
    if not hasattr(source, "A"):
        return csr_array((len(groups), n))
    A = source.A.tocoo()
    # S2MPJ leaves out the last rows and columns of A where they are empty.
    shape = (max(A.shape[0], int(groups.max(initial=-1)) + 1), n)
    return csr_array(coo_array((A.data, (A.row, A.col)), shape=shape))[groups]


def _weights(source: Any, groups: Indices, used: list[Any], place: dict[int, int]) -> csr_array:
    rows, columns, weights = [], [], []
    for row, (ig, elements) in enumerate(zip(groups, used, strict=True)):
        own = _list_at(source, "grelw", ig)
        for k, iel in enumerate(elements):
            rows.append(row)
            columns.append(place[int(iel)])
            weights.append(float(own[k]) if len(own) else 1.0)
    shape = (len(groups), len(place))
    return csr_array(coo_array((weights, (rows, columns)), shape=shape))


def _near_start(source: Any) -> Array:
    x0 = np.asarray(source.x0, dtype=np.float64).reshape(-1)
    u = np.random.default_rng(0).uniform(-1.0, 1.0, len(x0))
    return x0 + 1e-2 * u * np.maximum(np.abs(x0), 1.0)


def _element_types(source: Any, by_type: dict[str, list[int]], x: Array) -> Iterable[_Elements]:
    start = 0
    for name, own in by_type.items():
        variables = np.array([list(source.elvar[iel]) for iel in own], dtype=np.intp).T
        function = getattr(type(source), name)
        parameters = _parameters(source, "elpar", own)
        with np.errstate(all="ignore"):
            evaluate = fastest(function, source, own, parameters, x[variables])
        yield _Elements(slice(start, start + len(own)), variables, evaluate)
        start += len(own)


def _group_types(source: Any, groups: Indices, inner: Array) -> list[_Groups]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for position, ig in enumerate(groups):
        names = getattr(source, "grftype", ())
        by_type[(names[ig] if ig < len(names) else None) or "TRIVIAL"].append(position)
    result = []
    for name, own in by_type.items():
        positions = np.array(own, dtype=np.intp)
        if name == "TRIVIAL":
            result.append(_Groups(positions, None))
            continue
        numbers = groups[positions].tolist()
        function = getattr(type(source), name)
        parameters = _parameters(source, "grpar", numbers)
        with np.errstate(all="ignore"):
            evaluate = fastest(function, source, numbers, parameters, inner[positions])
        result.append(_Groups(positions, evaluate))
    return result


def _parameters(source: Any, name: str, indices: list[int]) -> Array | None:
    lists = [list(_list_at(source, name, index)) for index in indices]
    return np.array(lists, dtype=np.float64).T if lists and lists[0] else None
