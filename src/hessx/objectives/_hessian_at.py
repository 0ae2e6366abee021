"""The Hessian at one point: products that are counted, diagonal, and dense form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array, Space, quiet, sparse_entries, take_product
from hessx.core import Counts, LayerFactors
from hessx.objectives._difference_product import DifferenceProduct
from hessx.objectives._hessian_checks import check_stack, check_symmetric
from hessx.operators import DenseOperator, LinearOperator, Pattern, SparseOperator

__all__ = ["HessianAt"]

_BLOCK = 2**21  # numbers of a block of unit vectors, where they are taken in blocks


def _never() -> bool:
    return False


class HessianAt:
    """H at one point: v -> H v, counted and checked.

    Parameters
    ----------
    space : Space
        Of x and v.
    apply : callable
        Flat v -> H v in the user's shape or flat.
    counts : Counts
        ``products`` grows by one per product.
    sign : float
        -1 to maximise.
    operator : LinearOperator, optional
        What ``apply`` came from, for its diagonal.
    rows : int
        ``counts.rows`` grows by so many per product: the rows of a finite sum.
    given : object, optional
        The user's Hessian, where it has ``sampled_gradient``, ``factors`` or ``root``.
    differences : DifferenceProduct, optional
        What ``apply`` is, where it makes differences of gradients.

    Raises
    ------
    TypeError, ValueError
        On a product of another library, dtype, device or shape than x.
    """

    __slots__ = (
        "apply", "counts", "differences", "given", "operator", "rows", "sign", "space",
    )  # fmt: skip

    def __init__(
        self,
        space: Space,
        apply: Callable[[Array], Array],
        counts: Counts,
        sign: float,
        operator: Any = None,
        *,
        rows: int = 0,
        given: Any = None,
        differences: DifferenceProduct | None = None,
    ) -> None:
        self.space, self.apply, self.counts, self.sign = space, apply, counts, sign
        self.operator, self.rows, self.given = operator, rows, given
        self.differences = differences

    def __call__(self, v: Array) -> Array:
        """Multiply; one product."""
        self.spend(1)
        product = take_product(self.space, self.apply(v))
        return product if self.sign > 0.0 else -product

    @property
    def sizes(self) -> Array | None:
        """Give max(abs(x_i), x_scale_i), by which differences go; None where products are exact."""
        return None if self.differences is None else self.differences.sizes

    @property
    def stacks(self) -> bool:
        """Whether several products cost one call."""
        if self.differences is not None:
            return self.differences.gradients_at is not None
        return self.operator is not None and self.operator.stacks

    def stack(
        self, V: Array, watch: Callable[[], bool] = _never, *, sized: bool = False
    ) -> Array | None:
        """Multiply each row of V; as many products.

        Parameters
        ----------
        V : array, shape (k, n)
            The vectors.
        watch : callable
            Asked after each product, where they are made one by one; True ends it.
        sized : bool
            The entries are 0 or of the order of `sizes`: differences then move each variable by
            what suits it, and not each row by what suits all variables together.

        Returns
        -------
        array, shape (k, n), or None
            A new array; None where ``watch`` has ended it.

        Notes
        -----
        Cost: one call where the Hessian, or a `Stacked` gradient, takes stacks, else k calls.
        """
        sized, k = sized and self.differences is not None, V.shape[0]
        if self.stacks:
            self.spend(k)
            differences = self.differences
            if differences is None:
                products = self.operator.matvec(V)
            else:
                products = differences.sized(V) if sized else differences.stack(V)
            return products if self.sign > 0.0 else -products
        rows = []
        for i in range(k):
            product = self.sized(V[i, ...]) if sized else self(V[i, ...])
            rows.append(product + 0.0)  # may be a buffer that is written again
            if i + 1 < k and watch():
                return None
        return self.space.xp.stack(rows)

    def dense(self, watch: Callable[[], bool] = _never, *, check: bool = True) -> Array | None:
        """Give H as an array: the matrix that ``hess`` has given, or n products.

        Parameters
        ----------
        watch : callable
            Asked after each product, or block of them; True ends it.
        check : bool
            Refuse a matrix of the user's that is not symmetric, for one fetch; and what
            `check_stack` does.

        Returns
        -------
        array, shape (n, n), or None
            (H + H') / 2, for rounding and differences leave H unsymmetric; None where ``watch``
            ended it.

        Raises
        ------
        ValueError
            A matrix of the user's with H_ij - H_ji above eps^(1/4) of the largest entry; a
            gradient that takes no stacks.

        Notes
        -----
        Cost: n products, each counted, for what is no matrix; n + 1 with stacks of gradients.
        """
        if isinstance(self.operator, DenseOperator):
            H = self.operator.A if self.sign > 0.0 else -self.operator.A
            if check:
                check_symmetric(self.space, H)
        else:
            H = self._columns(watch, check=check)
            if H is None:
                return None
        with quiet():
            return 0.5 * H + 0.5 * H.T

    def _columns(self, watch: Callable[[], bool], *, check: bool) -> Array | None:
        """The products with the unit vectors; by differences with those of the variables' sizes."""
        space, n, sizes = self.space, self.space.n, self.sizes
        k = max(1, min(n, _BLOCK // n)) if self.stacks else n
        blocks = []
        for i in range(0, n, k):
            V = space.xp.eye(min(k, n - i), n, k=i, dtype=space.dtype, device=space.device)
            V = V if sizes is None else V * sizes
            rows = self.stack(V, watch, sized=True)
            if check and i == 0 and rows is not None:
                check_stack(self, V, rows)
            if rows is None or (i + k < n and watch()):
                return None
            blocks.append(rows if sizes is None else rows / sizes[i : i + k][:, None])
        return blocks[0] if len(blocks) == 1 else space.xp.concat(blocks)

    def sized(self, v: Array) -> Array:
        """Multiply a vector of the order of `sizes`, by differences; one product."""
        self.spend(1)
        product = take_product(self.space, self.differences.sized(v))  # type: ignore[union-attr]
        return product if self.sign > 0.0 else -product

    def spend(self, products: int) -> None:
        """Count products; those with the root too are made elsewhere."""
        self.counts.products += products
        self.counts.rows += products * self.rows

    def root(self) -> LinearOperator:
        """Give R with H = R'R + penalty; its products are not counted.

        Raises
        ------
        ValueError
            The user's Hessian has none, or f is to be maximised.
        """
        if self.sign < 0.0 or not hasattr(self.given, "root"):
            msg = (
                "the Hessian has no root() here: a sketch needs a model that gives R with "
                "H = R'R + penalty and is minimised, such as those of hessx.models in "
                'hessx.FiniteSum(model), for a perceptron with hess="gauss-newton"'
            )
            raise ValueError(msg)
        root: LinearOperator = self.given.root()
        return root

    def penalty(self) -> Array:
        """Give the diagonal of what is not in the root; zeros where the user's says nothing."""
        space, own = self.space, getattr(self.given, "penalty", None)
        return space.zeros(space.n) if own is None else take_product(space, own())

    def sampled_gradient(self, seed: int) -> Array:
        """Give the mean gradient with labels drawn from the model, flat; counted as a gradient.

        Parameters
        ----------
        seed : int
            Of the labels.

        Raises
        ------
        ValueError
            The user's Hessian has none.
        """
        return take_product(self.space, self._sampled("sampled_gradient", seed)) * self.sign

    def factors(self, seed: int | None = None) -> list[LayerFactors]:
        """Give inputs and slopes of each layer; counted as a gradient.

        Parameters
        ----------
        seed : int, optional
            Of labels drawn from the model; None takes those of the data.

        Raises
        ------
        ValueError
            The user's Hessian has none.
        """
        layers: list[LayerFactors] = self._sampled("factors", seed)
        if self.sign > 0.0:
            return layers
        return [LayerFactors(layer.span, layer.inputs, -layer.slopes) for layer in layers]

    def _sampled(self, name: str, seed: int | None) -> Any:
        ask = getattr(self.given, name, None)
        if ask is None:
            msg = (
                f"the Hessian has no {name}(seed): a method that learns from it needs a model that "
                "gives it, such as those of hessx.models in hessx.FiniteSum(model)"
            )
            raise ValueError(msg)
        self.counts.gradients += 1
        self.counts.rows += self.rows
        return ask(seed)

    def entries(self) -> tuple[Pattern, Array] | None:
        """Give where the user's sparse matrix has entries, and these; None where it is none.

        Returns
        -------
        pattern, entries : Pattern, array of shape (nnz,)
            No products are needed.  A `SparseOperator`'s, or those of scipy.sparse or
            cupyx.scipy.sparse.
        """
        operator, space = self.operator, self.space
        if isinstance(operator, SparseOperator):
            pattern, entries = operator.pattern, operator.values
        else:
            found = sparse_entries(space, getattr(operator, "matrix", None))
            if found is None:
                return None
            indptr, indices, entries = found
            pattern = Pattern((space.n, space.n), indptr, indices)
        return pattern, entries if self.sign > 0.0 else -entries

    def diagonal(self) -> Array | None:
        """Give the diagonal where the user's operator or matrix has one."""
        known = None if self.operator is None else self.operator.diagonal()
        return known if known is None or self.sign > 0.0 else -known
