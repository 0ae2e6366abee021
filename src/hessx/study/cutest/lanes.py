"""S2MPJ's element and group functions, evaluated for many elements at once.

S2MPJ writes the function of an element type for a single element: ``EV_`` is the column of its
variables, ``self.elpar[iel_]`` the list of its parameters, ``IV_ = U_ EV_`` its internal variables,
and ``g_`` and ``H_`` are filled entry by entry. The same source serves N elements (lanes) when
every array in it gets one more axis, the last, of length N. So the source is rewritten in a few
places, compiled again, and checked against the original; where the two differ, the original is
called element by element.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from types import FunctionType, SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Array", "Evaluate", "all_at_once", "fastest", "one_by_one"]

Array = npt.NDArray[np.float64]

#: ``evaluate(order, variables)`` gives the value, and the gradient if `order` is 2 or 3, and the
#: Hessian if it is 3. For elements of k variables the shapes are (N,), (k, N) and (k, k, N), and
#: `variables` is (k, N); for groups everything is (N,).
Evaluate = Callable[[int, Array], tuple[Array, ...]]

_CHECK_RTOL = 1e-12
_CHECK_LANES = 64


class _DivergedError(Exception):
    """A branch that some lanes take and others do not."""

    def __init__(self, taken: npt.NDArray[np.bool_]) -> None:
        self.taken = taken


class _AddLaneAxis(ast.NodeTransformer):
    """Rewrite a function of one element into the function of many."""

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        # EV_[i, 0] -> EV_[i]
        self.generic_visit(node)
        if (
            isinstance(node.value, ast.Name)
            and node.value.id == "EV_"
            and isinstance(node.slice, ast.Tuple)
        ):
            node.slice = node.slice.elts[0]
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        # The range transformation U_ is the same matrix for all elements of a type.
        return node if ast.unparse(node.targets[0]) == "U_" else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        # np.zeros(k) -> lane_zeros(k, args[0])   and   U_' H_ U_ -> lane_congruence(U_, H_)
        text = ast.unparse(node)
        if text == "U_.T.dot(H_).dot(U_)":
            return ast.parse("lane_congruence(U_, H_)", mode="eval").body
        self.generic_visit(node)
        if ast.unparse(node.func) == "np.zeros":
            shape = ast.unparse(node.args[0])
            return ast.parse(f"lane_zeros({shape}, args[0])", mode="eval").body
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        # Tests of nargout are the same for all lanes; others need agreement.
        self.generic_visit(node)
        if "nargout" not in ast.unparse(node.test):
            agreed = ast.parse("lane_agreement(test)", mode="eval").body
            assert isinstance(agreed, ast.Call)
            agreed.args = [node.test]
            node.test = agreed
        return node


def _lane_zeros(shape: int | tuple[int, ...], like: Array) -> Array:
    return np.zeros((*np.atleast_1d(shape), like.shape[-1]))


def _lane_congruence(U: Array, H: Array) -> Array:
    product: Array = np.einsum("ai,abn,bj->ijn", U, H, U)
    return product


def _lane_agreement(test: Any) -> bool:
    taken = np.asarray(test)
    if taken.all() or not taken.any():
        return bool(taken.all())
    raise _DivergedError(taken)


def _first_row(rows: Array) -> Array:
    row: Array = rows[0]
    return row


def _with_lanes(function: FunctionType) -> Callable[..., Any]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    names = dict(function.__globals__) | {
        "lane_zeros": _lane_zeros,
        "lane_congruence": _lane_congruence,
        "lane_agreement": _lane_agreement,
        "to_scalar": _first_row,
        "max": np.maximum,
        "min": np.minimum,
    }
    rewritten = ast.fix_missing_locations(_AddLaneAxis().visit(tree))
    exec(compile(rewritten, f"<lanes of {function.__qualname__}>", "exec"), names)
    compiled: Callable[..., Any] = names[definition.name]
    return compiled


def all_at_once(function: FunctionType, source: Any, parameters: Array | None) -> Evaluate:
    """Evaluate all lanes in one call of the rewritten `function`.

    Parameters
    ----------
    function : function
        S2MPJ's function of one element or group type.
    source : object
        The S2MPJ problem, for its global parameters.
    parameters : ndarray, shape (number of parameters, N), or None
        The lanes' own parameters.

    Returns
    -------
    Evaluate
    """
    compiled = _with_lanes(function)

    def call(order: int, variables: Array, parameters: Array | None) -> tuple[Array, ...]:
        # The index handed over is 0, so that elpar[0][k] is the row of the k-th parameter.
        owner = SimpleNamespace(
            elpar=[parameters],
            grpar=[parameters],
            efpar=getattr(source, "efpar", None),
            gfpar=getattr(source, "gfpar", None),
        )
        try:
            result = compiled(owner, order, variables, 0)
        except _DivergedError as diverged:
            return split(order, variables, parameters, diverged.taken)
        parts = result if order > 1 else (result,)
        return tuple(_spread(part, variables.shape[-1]) for part in parts)

    def split(
        order: int, variables: Array, parameters: Array | None, taken: npt.NDArray[np.bool_]
    ) -> tuple[Array, ...]:
        joined: tuple[Array, ...] = ()
        for lanes in (taken, ~taken):
            own = None if parameters is None else parameters[..., lanes]
            parts = call(order, variables[..., lanes], own)
            joined = joined or tuple(np.empty((*p.shape[:-1], len(taken))) for p in parts)
            for whole, part in zip(joined, parts, strict=True):
                whole[..., lanes] = part
        return joined

    return lambda order, variables: call(order, variables, parameters)


def one_by_one(function: FunctionType, source: Any, indices: Sequence[int]) -> Evaluate:
    """Evaluate lane after lane with S2MPJ's `function` itself.

    Parameters
    ----------
    function : function
        S2MPJ's function of one element or group type.
    source : object
        The S2MPJ problem.
    indices : sequence of int, length N
        S2MPJ's numbers of the elements or groups.

    Returns
    -------
    Evaluate
    """

    def call(order: int, variables: Array) -> tuple[Array, ...]:
        lanes = []
        for index, column in zip(indices, variables.T, strict=True):
            own = column.reshape(-1, 1) if column.ndim else column
            result = function(source, order, own, index)
            lanes.append(result if order > 1 else (result,))
        return tuple(
            np.stack([np.asarray(part, dtype=np.float64) for part in parts], axis=-1)
            for parts in zip(*lanes, strict=True)
        )

    return call


def fastest(
    function: FunctionType,
    source: Any,
    indices: Sequence[int],
    parameters: Array | None,
    variables: Array,
) -> Evaluate:
    """All lanes at once where that gives S2MPJ's own numbers at `variables`, else one by one.

    Parameters
    ----------
    function, source, indices, parameters
        As in `all_at_once` and `one_by_one`.
    variables : ndarray
        Where the two are compared, to a relative 1e-12, on at most 64 lanes.

    Returns
    -------
    Evaluate
    """
    slow = one_by_one(function, source, indices)
    checked = np.unique(np.linspace(0, len(indices) - 1, _CHECK_LANES).astype(int))
    sample = one_by_one(function, source, [indices[i] for i in checked])
    try:
        fast = all_at_once(function, source, parameters)
        found = fast(3, variables)
    except Exception:
        # Whatever the rewritten source raises, the original is still right.
        return slow
    truth = sample(3, variables[..., checked])
    agree = all(
        np.allclose(part[..., checked], true, rtol=_CHECK_RTOL, atol=_scale(true), equal_nan=True)
        for part, true in zip(found, truth, strict=True)
    )
    return fast if agree else slow


def _spread(part: Any, lanes: int) -> Array:
    part = np.asarray(part, dtype=np.float64)
    return part if part.ndim else np.full(lanes, part)


def _scale(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return _CHECK_RTOL * float(np.max(np.abs(finite), initial=0.0))
