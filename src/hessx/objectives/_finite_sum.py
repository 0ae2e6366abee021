"""Objectives that are means over rows of data, on all rows or on a sample of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import (
    Array,
    Space,
    first_leaf,
    space_of,
    take_gradient,
    take_value,
)
from hessx.core import Counts, Reply, Request, Sample, Wants, check_flag
from hessx.objectives._sources import Batch
from hessx.objectives._sum_parts import take_sum
from hessx.operators import as_operator

__all__ = ["FiniteSum"]


class FiniteSum:
    r"""A mean of losses over rows of data, which stochastic methods ask for on batches.

        f(x) = (1/N) sum_i f_i(x),    f_S(x) = (1/|S|) sum_(i in S) f_i(x)

    It knows the function and the data; batches and their order belong to the method.  Given in the
    place of fun to `minimize`, it is the whole sum for every method that does not sample.

    Parameters
    ----------
    fun : callable or model
        ``fun(x, *rows)``, a mean over the rows it is given, one argument for each array of the
        data.  x has the shape, or is the tree, of x0, and is not to be written to.  Or a model,
        as those of `hessx.models`: it has N, ``rows(rows, weights)``, and is called for
        (value, gradient); its own factors make a batch an unbiased estimate of the whole.
    data : array, tuple of arrays, Blocks or Batches
        With the rows along the first axis, on x's library and device, of any dtype; not copied.
        Memory maps and what is no array by itself become `Blocks`.  None with a model.
    jac : True, callable or "autodiff"
        True: fun gives (value, gradient).  A callable ``jac(x, *rows)``.  "autodiff": fun gives the
        value, of functions of torch or JAX, and everything else is derived.  None with a model.
    hess : callable, or "exact" or "gauss-newton" with a model
        ``hess(x, *rows)``, as `minimize` takes it; which operator of a model is the Hessian,
        "exact" where it is left out.
    hessp : callable, optional
        ``hessp(x, v, *rows)`` -> H v; goes before hess.  Without either, products are made of
        differences of gradients on the same rows.
    check_finite : bool
        Refuse NaN and infinite entries of arrays in memory, for one fetch.

    Attributes
    ----------
    N : int
        Rows.
    counts : Counts
        Values, gradients and products, on however many rows, and the rows of them all.
    offers : Wants
        What can be asked for.
    model : object, optional
        The model that was given; None where functions were.

    Raises
    ------
    SettingsError
        No derivative; rows of different lengths, none, or with NaN; parts that do not fit together.
    TypeError, ValueError
        No function and no data; at the first evaluation, data of another library or device than x.

    Notes
    -----
    A batch costs one gather per array and no fetch, an epoch one upload of its order, 8 N bytes,
    kept for the last two orders.  The last batch is kept, for what is asked of it again.

    With "autodiff" on JAX all is compiled, once for each size of batches.  On torch products with
    the Hessian go backward through the record of the gradient, made once per point.
    Gradients of single rows are those of all that fun adds up, a penalty included.

    With an order that weighs rows (`Importance`) functions are given ``weights=w`` too.

    References
    ----------
    Bottou, Curtis & Nocedal (2018), Optimization methods for large-scale machine learning,
    section 3.

    Examples
    --------
    >>> import hessx, numpy as np
    >>> draw = np.random.default_rng(0)
    >>> A = draw.standard_normal((500, 3))
    >>> b = A @ [1.0, 2.0, 3.0]
    >>> def squares(x, A, b):
    ...     r = A @ x - b
    ...     return r @ r / (2 * len(b)), A.T @ r / len(b)
    >>> loss = hessx.FiniteSum(squares, (A, b), jac=True)
    >>> hessx.minimize(loss, np.zeros(3), method="lbfgs").x.round(3)
    array([1., 2., 3.])

    On the second batch of 100 in the first epoch's order:

    >>> value, grad = loss(np.zeros(3), hessx.Sample(hessx.Shuffled(), 0, 100, 200))
    >>> loss.counts.rows % 500
    100
    """

    def __init__(
        self,
        fun: Any,
        data: Any = None,
        *,
        jac: Any = None,
        hess: Any = None,
        hessp: Any = None,
        check_finite: bool = True,
    ) -> None:
        self.counts = Counts()
        check_finite = check_flag("check_finite", check_finite)
        self._terms, self._data = take_sum(fun, data, jac, hess, hessp, check_finite=check_finite)
        self.offers, self.N = self._terms.offers, self._data.N
        self.model = fun if data is None else None
        self._space: Space | None = None
        self._last: tuple[Sample | None, Batch | None] = None, None

    def __call__(self, x: Any, sample: Sample | None = None) -> tuple[Any, Any]:
        """Give value and gradient at x, on a sample or on the whole."""
        if sample is not None and not isinstance(sample, Sample):
            msg = f"sample is a {type(sample).__name__}: expected a hessx.Sample, or None for all"
            raise TypeError(msg)
        reply = self.answer(Request(x, 0, sample=sample))
        return reply.value, reply.grad

    def answer(self, request: Request) -> Reply:
        """Evaluate what a request wants, on its sample or on the whole; no fetch.

        Parameters
        ----------
        request : Request
            With x in the shape of x0.

        Returns
        -------
        Reply
            With a gradient in x's shape, or flat.

        Raises
        ------
        TypeError, ValueError
            Data that are not where x is; a sample beyond the data; what is not offered.
        """
        x, wants = request.x, request.wants
        if wants not in self.offers:
            lacking = " and ".join(str(part.name) for part in wants & ~self.offers)
            msg = (
                f"the finite sum does not offer {lacking}: give hess or hessp, a model that has "
                'it, or jac="autodiff"'
            )
            raise ValueError(msg)
        batch = self._batch(self._place(x), request.sample)
        size = self.N if request.sample is None else request.sample.size
        if Wants.PER_SAMPLE in wants and batch is None:
            msg = (
                "the gradient of every single row is wanted, and the data are not in memory: give "
                "arrays, or take a method that keeps none of them, such as SVRG in place of SAGA"
            )
            raise ValueError(msg)
        if Wants.HESSIAN in wants:
            return Reply(request.ticket, hessian=self._hessian(x, batch))
        self.counts.values += 1
        self.counts.rows += size
        if wants is Wants.VALUE and not self._terms.joint:
            return Reply(request.ticket, self._value(x, batch))
        self.counts.gradients += 1
        value, grad = self._value_and_grad(x, batch)
        reply = Reply(request.ticket, value, grad)
        if Wants.PER_SAMPLE in wants:
            reply.per_sample = self._terms.per_sample(x, batch)  # type: ignore[arg-type]
            reply.rows = batch.numbers  # type: ignore[union-attr]
        return reply

    def _place(self, x: Any) -> Space:
        """Give library and device of x, as long as they are those of the point before."""
        space = self._space
        leaf = x if space is not None and type(x) is space.array_type else first_leaf(x)
        if space is None or space.mismatch(leaf) is not None:
            space = space_of(leaf, ())
            self._data.place(space)
            self._terms.place(space)
            self._space, self._last = space, (None, None)
        return space

    def _batch(self, space: Space, sample: Sample | None) -> Batch | None:
        """Give the rows asked for; None where they are all, and do not fit into memory."""
        if sample is None:
            return self._data.all()
        last, batch = self._last
        if last != sample:
            self._last = None, None  # its memory may be needed
            batch = self._data.take(space, sample)
            self._last = sample, batch
        return batch

    def _value(self, x: Any, batch: Batch | None) -> Any:
        if batch is not None:
            return self._terms.value(x, batch)
        space = space_of(x)
        return self._mean(space, lambda piece: take_value(space, self._terms.value(x, piece)))

    def _value_and_grad(self, x: Any, batch: Batch | None) -> tuple[Any, Any]:
        if batch is not None:
            return self._terms.value_and_grad(x, batch)
        space, value, grad = space_of(x), 0.0, None
        for piece in self._data.pieces(space):
            share, (f, g) = piece.size / self.N, self._terms.value_and_grad(x, piece)
            part = take_gradient(space, g) * share
            value = value + take_value(space, f) * share
            grad = part if grad is None else grad + part
        return value, grad

    def _hessian(self, x: Any, batch: Batch | None) -> Any:
        if batch is not None:
            return self._terms.hessian(x, batch)
        space = space_of(x)

        def part(v: Array, piece: Batch) -> Array:
            return as_operator(space, self._terms.hessian(x, piece), "hess(x)").matvec(v)

        return lambda v: self._mean(space, lambda piece: part(v, piece))

    def _mean(self, space: Space, of: Callable[[Batch], Any]) -> Any:
        """Average over the pieces of data that are not in memory."""
        total = None
        for piece in self._data.pieces(space):
            part = of(piece) * (piece.size / self.N)
            total = part if total is None else total + part
        return total
