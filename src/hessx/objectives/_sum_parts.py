"""What `FiniteSum` is given, checked: a function and data, or a model that has both."""

from __future__ import annotations

from typing import Any

from hessx._xp import is_array, is_mapped
from hessx.core import SettingsError
from hessx.objectives._blocks import Blocks
from hessx.objectives._hessian import shown
from hessx.objectives._sources import Data, InMemory
from hessx.objectives._sources import check_finite as look_for_nan
from hessx.objectives._sum_terms import Autodiff, Functions, ModelRows, ModelTerms, Terms

__all__ = ["take_sum"]


def take_sum(
    fun: Any, data: Any, jac: Any, hess: Any, hessp: Any, *, check_finite: bool
) -> tuple[Terms, Data]:
    """Take function and data, or a model that has both."""
    if data is None:
        _check_model(fun, jac, hess, hessp)
        if check_finite and is_array(getattr(fun, "X", None)):
            look_for_nan((fun.X,), "X of the model")
        return ModelTerms(fun, hess or "exact"), ModelRows(fun)
    if hasattr(fun, "rows") and not isinstance(fun, type):
        msg = f"fun is a {type(fun).__name__}, a model, which has its data: leave data out"
        raise TypeError(msg)
    if isinstance(fun, type):
        name = fun.__name__
        msg = f"fun is the class {name}: expected a function, or a model such as {name}(X, y)"
        raise TypeError(msg)
    if not callable(fun):
        msg = f"fun is a {type(fun).__name__}: expected a callable fun(x, *rows)"
        raise TypeError(msg)
    for name, given in (("hess", hess), ("hessp", hessp)):
        if given is not None and not callable(given):
            msg = f"{shown(name, given)}: expected a callable {name} of x and rows, or None"
            raise SettingsError(msg)
    return _take_terms(fun, jac, hess, hessp), _take_data(data, look=check_finite)


def _take_terms(fun: Any, jac: Any, hess: Any, hessp: Any) -> Terms:
    if isinstance(jac, str) and jac == "autodiff":
        if hess is not None or hessp is not None:
            msg = 'jac="autodiff" makes the products with the Hessian too: leave hess and hessp out'
            raise SettingsError(msg)
        return Autodiff(fun)
    if jac is True or callable(jac):
        return Functions(fun, jac, hess, hessp)
    msg = (
        f"{shown('jac', jac)}: expected jac=True where fun(x, *rows) gives (value, gradient), a "
        'callable jac(x, *rows), or "autodiff" with torch or JAX; differences of sampled values '
        "are no gradients"
    )
    raise SettingsError(msg)


def _take_data(given: Any, *, look: bool) -> Data:
    if isinstance(given, Data):
        return given
    arrays = tuple(given) if isinstance(given, tuple | list) else (given,)
    for i, a in enumerate(arrays):
        if hasattr(a, "tocsr"):
            msg = (
                f"data[{i}] is a {type(a).__name__}, a sparse matrix: expected arrays; give "
                "numbers of rows, np.arange(N), and let fun take the rows of the matrix itself"
            )
            raise TypeError(msg)
    if any(is_mapped(a) or not is_array(a) for a in arrays):
        return Blocks(*arrays)
    data = InMemory(arrays)
    if look:
        look_for_nan(arrays)
    return data


def _check_model(model: Any, jac: Any, hess: Any, hessp: Any) -> None:
    lacking = [name for name in ("N", "rows", "__call__") if not hasattr(model, name)]
    if lacking:
        msg = (
            f"data is None, and {shown('fun', model)} is no model, for it has no {lacking[0]}: "
            "expected data, one array or a tuple of them, beside a function"
        )
        raise TypeError(msg)
    if jac is not None or hessp is not None:
        msg = f"a model has its derivatives: leave {'jac' if jac is not None else 'hessp'} out"
        raise SettingsError(msg)
    if hess not in (None, "exact", "gauss-newton"):
        msg = f'{shown("hess", hess)}: expected "exact" or "gauss-newton" with a model'
        raise SettingsError(msg)
