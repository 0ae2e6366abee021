"""An S2MPJ problem's data as arrays: its linear terms, elements and groups, type by type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array, csr_array

from hessx.study.cutest.lanes import Array

__all__ = ["ElementType", "GroupType", "Indices", "Structure", "read"]

Indices = npt.NDArray[np.intp]

# S2MPJ takes a smaller group scale for absent.
_SMALLEST_SCALE = 1e-15


@dataclass(frozen=True)
class ElementType:
    """N elements with one function of k variables.

    Attributes
    ----------
    function : function
        S2MPJ's function of one element.
    numbers : list of int
        S2MPJ's numbers of the elements.
    positions : slice
        Where they stand among all elements, which are sorted by type.
    variables : ndarray of int, shape (k, N)
    parameters : ndarray, shape (number of parameters, N), or None
    """

    function: FunctionType
    numbers: list[int]
    positions: slice
    variables: Indices
    parameters: Array | None


@dataclass(frozen=True)
class GroupType:
    """N groups with one function.

    Attributes
    ----------
    function : function
        S2MPJ's function of one group.
    numbers : list of int
        S2MPJ's numbers of the groups.
    positions : ndarray of int, shape (N,)
        Where they stand among the objective's groups.
    parameters : ndarray, shape (number of parameters, N), or None
    """

    function: FunctionType
    numbers: list[int]
    positions: Indices
    parameters: Array | None


@dataclass(frozen=True)
class Structure:
    """A group partially separable function of n variables, with m groups and e elements.

    Attributes
    ----------
    linear : sparse array, shape (m, n)
        Row i is a_i.
    constant, scale : ndarray, shape (m,)
        c and s.
    weights : sparse array, shape (m, e)
    quadratic : sparse array, shape (n, n), or None
    elements : list of ElementType
    groups : list of GroupType
        Groups that are in none have the identity for their function.
    """

    n: int
    linear: csr_array
    constant: Array
    scale: Array
    weights: csr_array
    quadratic: csr_array | None
    elements: list[ElementType]
    groups: list[GroupType]


def read(source: Any) -> Structure:
    """Read the objective of an S2MPJ problem.

    Parameters
    ----------
    source : object
        An S2MPJ problem; its global parameters are set.

    Returns
    -------
    Structure
    """
    source.getglobs()
    n = int(source.n)
    groups = np.asarray(getattr(source, "objgrps", ()), dtype=np.intp)
    used = [[int(iel) for iel in _entry(source, "grelt", ig, ())] for ig in groups]
    elements = list(_element_types(source, used))
    scale = np.array([float(_entry(source, "gscale", ig, 1.0)) for ig in groups])
    return Structure(
        n=n,
        linear=_linear_terms(source, groups, n),
        constant=np.array([_number(_entry(source, "gconst", ig, 0.0)) for ig in groups]),
        scale=np.where(np.abs(scale) > _SMALLEST_SCALE, scale, 1.0),
        weights=_weights(source, groups, used, elements),
        quadratic=csr_array(source.H) if hasattr(source, "H") else None,
        elements=elements,
        groups=list(_group_types(source, groups)),
    )


def _entry(source: Any, name: str, index: int, absent: Any) -> Any:
    # S2MPJ's lists may be missing, end early, or hold None.
    entries = getattr(source, name, ())
    entry = entries[index] if index < len(entries) else None
    return absent if entry is None else entry


def _number(entry: Any) -> float:
    return float(np.ravel(entry)[0])


def _element_types(source: Any, used: list[list[int]]) -> Iterable[ElementType]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for iel in dict.fromkeys(iel for elements in used for iel in elements):
        by_type[source.elftype[iel]].append(iel)
    start = 0
    for name, numbers in by_type.items():
        yield ElementType(
            function=getattr(type(source), name),
            numbers=numbers,
            positions=slice(start, start + len(numbers)),
            variables=np.array([list(source.elvar[iel]) for iel in numbers], dtype=np.intp).T,
            parameters=_parameters(source, "elpar", numbers),
        )
        start += len(numbers)


def _group_types(source: Any, groups: Indices) -> Iterable[GroupType]:
    by_type: dict[str, list[int]] = defaultdict(list)
    for position, ig in enumerate(groups):
        by_type[_entry(source, "grftype", ig, "TRIVIAL")].append(position)
    by_type.pop("TRIVIAL", None)
    for name, own in by_type.items():
        positions = np.array(own, dtype=np.intp)
        numbers = groups[positions].tolist()
        yield GroupType(
            function=getattr(type(source), name),
            numbers=numbers,
            positions=positions,
            parameters=_parameters(source, "grpar", numbers),
        )


def _parameters(source: Any, name: str, numbers: list[int]) -> Array | None:
    lists = [list(_entry(source, name, number, ())) for number in numbers]
    return np.array(lists, dtype=np.float64).T if lists[0] else None


def _linear_terms(source: Any, groups: Indices, n: int) -> csr_array:
    if not hasattr(source, "A"):
        return csr_array((len(groups), n))
    A = source.A.tocoo()
    # S2MPJ leaves out the last rows and columns of A where they are empty.
    shape = (max(A.shape[0], int(groups.max(initial=-1)) + 1), n)
    return csr_array(coo_array((A.data, (A.row, A.col)), shape=shape))[groups]


def _weights(
    source: Any, groups: Indices, used: list[list[int]], elements: list[ElementType]
) -> csr_array:
    place = {iel: k for k, iel in enumerate(iel for e in elements for iel in e.numbers)}
    rows, columns, weights = [], [], []
    for row, (ig, own) in enumerate(zip(groups, used, strict=True)):
        rows += [row] * len(own)
        columns += [place[iel] for iel in own]
        weights += [float(w) for w in _entry(source, "grelw", ig, np.ones(len(own)))]
    return csr_array(coo_array((weights, (rows, columns)), shape=(len(groups), len(place))))
