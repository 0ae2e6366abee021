"""The L-BFGS inverse as a linear operator."""

from __future__ import annotations

import numpy as np

from hessx._xp import Rows
from hessx.core import Frame, saved
from hessx.hessians._gram import Gram
from hessx.hessians._inverse_root import InverseRoot, root_middle
from hessx.hessians._pair_products import products_of
from hessx.hessians._rows_operator import RowsOperator

__all__ = ["LBFGSInverse"]


@saved(arguments=("frame", "rows", "pieces", "gram", "gamma", "layout"))
class LBFGSInverse(RowsOperator):
    r"""A v = gamma v + B'(M (B v)) for the pairs B = [S; Y] of an L-BFGS run.

    The (2k, 2k) matrix M is formed on the host in float64 and uploaded once, when first needed:
    an apply reads nothing back to the host.  The run makes it: ``result.hess_inv``.  It takes part
    in sums and products, as every `LinearOperator` does.

    Attributes
    ----------
    shape : tuple of int
        (n, n).
    dtype : object
        Of x.
    count : int
        Pairs held.

    Raises
    ------
    TypeError, ValueError
        On application to a vector of another library, dtype or device, or of another size than x.

    Notes
    -----
    Cost of an apply: two products with the rows of the k pairs, for each vector of a stack; of the
    diagonal, 2 k products with them.  The rows are those of the run, not copies: they live as long
    as the operator, which does not write to them.

    References
    ----------
    Byrd, Nocedal & Schnabel (1994), Representations of quasi-Newton matrices and their use in
    limited memory methods, Math. Program. 63, Theorem 2.2.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> result = hessx.minimize(lambda x: x @ x, np.ones(3), jac=lambda x: 2 * x, method="lbfgs")
    >>> (result.hess_inv @ np.ones(3)).round(6)
    array([0.5, 0.5, 0.5])
    """

    def __init__(
        self,
        frame: Frame,
        rows: Rows,
        pieces: list[tuple[int, int]],
        gram: Gram,
        gamma: float,
        layout: tuple[int, int, int],
    ) -> None:
        super().__init__(frame, rows, pieces, gamma, gram.count, inverse=True)
        self.gram, self.gamma, self.layout = gram, gamma, layout

    def middle(self) -> np.ndarray:
        """M of the compact form."""
        return self.gram.middle(self.gamma)

    def root(self) -> InverseRoot:
        r"""Give L with L L' = A, of shape (n, n): of z from N(0, I) it makes L z from N(0, A).

        L = D (gamma^(1/2) I + [S, Y] M [S, Y]'), D the scale of the variables; no (n, n) matrix is
        formed.  A form gamma I + U U' does not exist: A has eigenvalues below gamma.

        Returns
        -------
        LinearOperator
            Not symmetric; ``L @ z`` and ``L.T @ v`` take stacks of vectors too.

        Notes
        -----
        Cost: one fetch, two products of the rows per pair and k^4 operations on the host; an apply
        costs two products with the rows of the k pairs, no fetch.  The rows are those of A.

        References
        ----------
        Brodlie, Gourlay & Greenstadt (1973), J. Inst. Math. Appl. 11; Zhang, Carpenter, Gelman &
        Vehtari (2022), Pathfinder, JMLR 23, for the use.

        Examples
        --------
        >>> import numpy as np, hessx
        >>> d = np.array([1.0, 4.0, 9.0])
        >>> A = hessx.minimize(lambda x: d @ x**2, np.ones(3), method="lbfgs").hess_inv
        >>> L = A.root()
        >>> bool(np.allclose(L.todense() @ L.todense().T, A.todense()))
        True
        """
        frame = Frame(self.space)
        order = self.gram.order(self.layout[2])
        known = products_of(frame, self.rows, order)
        M = root_middle(known, self.gamma) if order else np.zeros((0, 0))
        return InverseRoot(self.frame, self.rows, self.pieces, self.gamma, M, self.count)

    def __repr__(self) -> str:
        return f"<L-BFGS inverse of shape {self.shape}, {self.count} pairs>"
