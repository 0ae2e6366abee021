"""The Hessian on a sparse pattern, by as many products as the pattern has colours."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from hessx._xp import Array, Packet
from hessx.core import Frame, Learns, Offer, SettingsError, Wants, check_flag, saved
from hessx.hessians._applied import applied
from hessx.hessians._family import Approximation
from hessx.hessians._point import SampledCurvature
from hessx.hessians._sparse_check import check_pattern, check_symmetric
from hessx.hessians._sparse_places import GivenPlaces, SymmetricPlaces
from hessx.objectives import check_stack
from hessx.operators import Colouring, Compressed, LinearOperator, Pattern, SparseOperator, colour

__all__ = ["OnPattern", "Sparse", "SparseCurvature", "refusing"]


@saved(fresh=("compressed", "matrix", "places"))
class SparseCurvature(SampledCurvature):
    """H in z on a pattern.

    Attributes
    ----------
    pattern : Pattern
        Symmetric, with the diagonal; of matrices of the user's that of the last one.
    colouring : Colouring
        Of the pattern, made when it is first needed.
    values : array, shape (nnz,)
        Those of the pattern's entries at the last point that was sampled.
    checked : bool
        The pattern, or a matrix of the user's, has been looked at, once in a run.
    """

    __slots__ = ("checked", "colouring", "compressed", "matrix", "pattern", "places", "values")
    exact = True

    def __init__(self, frame: Frame, settings: OnPattern) -> None:
        super().__init__(frame)
        self.pattern: Any = settings.pattern_of(frame.space.n)
        self.colouring: Colouring | None = settings.colouring
        self.checked = not settings.check
        self.values: Array = None
        self.places: SymmetricPlaces | None = None
        self.compressed: Compressed | None = None
        self.matrix: SparseOperator | None = None
        if self.pattern is not None and self.colouring is not None:
            self._begin_products()  # says at once what is wrong with a user's colouring

    def hold(self, packet: Packet) -> None:
        """Name the entries, which the next point replaces."""
        packet.hold(self, "values")

    def matvec(self, v: Array) -> Array:
        """B v, nnz multiplications."""
        return self.hessian_in_z().matvec(v)

    def dense(self) -> Array:
        """B in z."""
        return self.hessian_in_z().dense()

    def diagonal(self) -> Array:
        """The diagonal of B, without a product."""
        return self.hessian_in_z().diagonal() + 0.0  # type: ignore[operator]

    def operator(self, *, inverse: bool) -> LinearOperator | None:
        """B in x, at the last point that was sampled; there is no A."""
        return None if inverse else self._kept(inverse=False)

    def hessian_in_z(self) -> SparseOperator:
        """H as an operator, in z."""
        self.prepare()
        if self.matrix is None or self.matrix.values is not self.values:
            self.matrix = self._placed().operator(self.values)
        return self.matrix

    def _sample(self, watch: Callable[[], bool]) -> Array | None:
        """The entries of H in z: those of the user's matrix, or by products."""
        given = self.hessian.entries()
        if given is not None:
            return self._given(*given)
        products, sizes = self._products(watch), self.hessian.sizes
        if products is None:
            return None
        if sizes is not None:  # of S H S with S = diag(sizes), which is symmetric
            products = products * sizes
        places = self._placed()
        values = self.compressed.values(products)  # type: ignore[union-attr]
        if not self.colouring.symmetric:  # type: ignore[union-attr]
            values = places.symmetric(values)
        if not self.checked and not watch():
            self.checked = self._agrees(products, values, sizes)
        u = self.frame.scale
        if sizes is not None:
            u = 1.0 / sizes if u is None else u / sizes
        return values if u is None else places.scaled(values, u)

    def _take(self, values: Array) -> None:
        self.values = values

    def _agrees(self, products: Array, values: Array, sizes: Array | None) -> bool:
        """Check the pattern; False where the numbers say nothing of it."""
        try:
            return check_pattern(self.hessian, self._placed(), values, sizes)
        except ValueError:  # of a stack that is none?
            if sizes is not None:
                check_stack(self.hessian, self._seeds(sizes), products / sizes)
            raise

    def _seeds(self, sizes: Array | None) -> Array:
        V = self.compressed.seeds()  # type: ignore[union-attr]
        return V if sizes is None else V * sizes

    def _products(self, watch: Callable[[], bool]) -> Array | None:
        """One product for each colour, with vectors of the variables' sizes."""
        if self.compressed is None:
            self._begin_products()
        return self.hessian.stack(self._seeds(self.hessian.sizes), watch, sized=True)

    def _begin_products(self) -> None:
        if self.pattern is None:
            msg = (
                "no pattern was given, and hess returns no sparse matrix: expected "
                "pattern = a hessx.Pattern, a sparse matrix, or what hessx.Pattern.of takes; "
                "hessx.find_pattern finds one by products"
            )
            raise SettingsError(msg)
        if self.colouring is None:
            self.colouring = colour(self.pattern)
        self.compressed = Compressed(self.frame.space, self.pattern, self.colouring)

    def _given(self, pattern: Pattern, entries: Array) -> Array:
        """Take the entries of a matrix, whose pattern may be another one than the last."""
        places = self.places
        if not isinstance(places, GivenPlaces) or places.given != pattern:
            places = self.places = GivenPlaces(self.frame.space, pattern)
            self.pattern = places.pattern
        values, scale = places.ordered(entries), self.frame.scale
        if not self.checked:
            check_symmetric(places, values)
            self.checked = True
        values = places.symmetric(values)
        return values if scale is None else places.scaled(values, scale)

    def _placed(self) -> SymmetricPlaces:
        if self.places is None:
            self.places = SymmetricPlaces(self.frame.space, self.pattern)
        return self.places

    def _kept(self, *, inverse: bool) -> LinearOperator | None:
        """A or B in x as it stands; None before the first point."""
        if self.values is None:
            return None
        twin = self.__deepcopy__({})
        twin.hessian, twin.formed = None, True
        return applied(self.frame, twin, inverse=inverse)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Share the arrays: a point makes new ones."""
        twin = copy.copy(self)
        twin.places, twin.compressed, twin.matrix = self.places, self.compressed, self.matrix
        memo[id(self)] = twin
        return twin

    def __getstate__(self) -> Any:
        """Leave out what is made again."""
        state: Any = object.__getstate__(self)
        return None, {**state[1], "places": None, "compressed": None, "matrix": None}


class OnPattern(Approximation):
    """Settings with a pattern and a colouring."""

    __slots__ = ()
    learns: ClassVar = Learns.NOTHING
    wants: ClassVar = Wants.HESSIAN
    pattern: Any
    colouring: Any
    check: bool

    def __post_init__(self) -> None:
        store = object.__setattr__
        store(self, "check", check_flag("check", self.check))
        shaped = self.pattern is not None and not callable(self.pattern)
        if shaped and not isinstance(self.pattern, tuple):  # of rows and columns
            store(self, "pattern", _as_pattern(self.pattern))
        if self.colouring is not None and not isinstance(self.colouring, Colouring):
            store(self, "colouring", refusing(Colouring, self.colouring, symmetric=True))

    def pattern_of(self, n: int) -> Pattern | None:
        """Give the pattern for n variables, symmetric and with the diagonal."""
        return None if self.pattern is None else _as_pattern(self.pattern, n).symmetrised()


@saved
@dataclass(frozen=True, slots=True, eq=False)
class Sparse(OnPattern):
    """B = H at each accepted point, on a pattern: by a few products, whatever n is.

    Columns of one colour have no entry in a common row, or one that the symmetry of H tells apart;
    one product with their sum has the entries of all.  A band of width 2 w + 1 needs that many
    products or fewer, an arrow two, a grid of two dimensions six.

    Products are those of ``hessp`` or ``hess``, or differences of gradients: a gradient for each
    colour, in one call where it is `Stacked`.  Each variable then moves by eps^(1/2) max(abs(x_i),
    x_scale_i), however many move.  Where ``hess`` returns a sparse matrix, its entries are taken as
    they are, without a product, on its own pattern, which may change from point to point.

    Parameters
    ----------
    pattern : Pattern or what `Pattern.of` takes, optional
        Where H may have entries; the transpose and the diagonal are added.  May be left out where
        ``hess`` returns a sparse matrix.
    colouring : Colouring or array of integers, shape (n,), optional
        A colour for each column; by default the fewer of `colour_star` and `colour_columns`.
    check : bool
        Compare, once in a run, at its first point, one further product with a random vector, row by
        row, with that of B; see that a sparse matrix is symmetric.

    Raises
    ------
    SettingsError
        No pattern, or one that is not square; no colouring, or one with more colours than columns;
        when the run begins, of another size than x0, or a colouring that does not tell all entries;
        no pattern where one is needed.
    ValueError
        At the first point: H has entries outside of the pattern; which rows.  A sparse matrix with
        one triangle alone.

    Notes
    -----
    Cost per accepted point: a product for each colour, none for a sparse matrix; of the check one
    product and one fetch in a run, and one product and one fetch more before it raises.  Memory:
    nnz numbers, and a vector for each colour while they are made.  The colouring costs O(nnz) sets
    on the host, once in a run.

    The check tells entries outside of the pattern from what differences leave: a row is named where
    both products differ by eps^(1/4) of what its entries add up to, by eps^(1/2) of what those of
    the largest row do, and by ten times the error that a step of another length shows.  Entries
    below that stay unseen.

    References
    ----------
    Curtis, Powell & Reid (1974), On the estimation of sparse Jacobian matrices, IMA J. Appl. Math.
    13; Powell & Toint (1979), On the estimation of sparse Hessian matrices, SIAM J. Numer. Anal.
    16; Coleman & More (1984), Estimation of sparse Hessian matrices and graph coloring problems,
    Math. Program. 28.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> def rosenbrock(x):
    ...     a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    ...     g = np.zeros_like(x)
    ...     g[1:] += 200 * a
    ...     g[:-1] -= 400 * a * x[:-1] + 2 * b
    ...     return 100 * a @ a + b @ b, g
    >>> B = hessx.Sparse(hessx.Pattern.banded(1000, 1))
    >>> result = hessx.minimize(rosenbrock, np.zeros(1000), jac=True, method="trust-ncg", hess=B)
    >>> result.success, result.nhev / result.nit < 4
    (True, True)
    """

    pattern: Any = None
    colouring: Any = None
    check: bool = True
    offers: ClassVar = Offer.MATVEC | Offer.DENSE | Offer.DIAGONAL
    positive: ClassVar = False

    def begin(self, frame: Frame) -> SparseCurvature:
        """Begin without a Hessian: the first is asked for at x0."""
        return refusing(SparseCurvature, frame, self)  # type: ignore[no-any-return]


def _as_pattern(given: Any, n: int | None = None) -> Pattern:
    """Take a square pattern."""
    pattern: Pattern = refusing(Pattern.of, given, n)
    if pattern.shape[0] != pattern.shape[1]:
        msg = f"pattern has shape {pattern.shape}: expected (n, n), as x0 has n entries"
        raise SettingsError(msg)
    return pattern


def refusing(make: Callable[..., Any], *given: Any, **settings: Any) -> Any:
    """Make something of settings, which may not fit."""
    try:
        return make(*given, **settings)
    except (TypeError, ValueError) as error:
        raise SettingsError(str(error)) from error
