"""A run that the user evaluates: points are asked for and answers told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hessx._xp import Array
from hessx.core import Checkpoint, Counts, Reply, Result, Sample, SettingsError, Wants
from hessx.objectives import take_reply
from hessx.solvers._interrupts import interrupts
from hessx.solvers._setup import Setup

__all__ = ["AskTell"]


class AskTell:
    """Minimise a function that is evaluated elsewhere: by a simulator, a cluster, one's own loop.

    Take a point from ``ask``, evaluate there what ``wants`` names, and ``tell`` it, until ``done``.

    Parameters
    ----------
    x0 : array of any shape, or number or nested list
        Start, as for `minimize`.
    method, options, tol, x_scale, max_seconds, history, maximize, callback
        As for `minimize`.  A method is not chosen by what derivatives there are: None is "lbfgs",
        and "bfgs" up to 5 variables.
    resume : path, binary file, Checkpoint, Result or AskTell, optional
        Take a run up, as for `minimize`.

    Attributes
    ----------
    wants : str
        "value and gradient", "hessian", or "nothing" where the run has ended.
    done : bool
        Whether it has.
    checkpoint : Checkpoint
        The run as it stands, copied; for `save`.

    Raises
    ------
    TypeError, ValueError
        As `minimize`; ``ask`` after the end, ``tell`` without ``ask``, another answer than wanted.

    Notes
    -----
    Second-order methods want the Hessian where they have accepted a point: an operator, a matrix,
    or a function v -> H v, which is called during ``tell``.  Ctrl-C during ``tell`` ends the run;
    elsewhere it is the loop's own.  Seconds count from the beginning, evaluations included.

    Examples
    --------
    >>> import numpy as np, hessx
    >>> h = np.array([1.0, 10.0])
    >>> run = hessx.AskTell([3.0, 4.0])
    >>> while not run.done:
    ...     x = run.ask()
    ...     run.tell(h @ x**2 / 2, h * x)
    >>> result = run.result()
    >>> result.success, bool(abs(result.x).max() < 1e-5)
    (True, True)
    """

    def __init__(
        self,
        x0: Any,
        method: Any = None,
        options: dict[str, Any] | None = None,
        tol: float | None = None,
        *,
        x_scale: Any = None,
        max_seconds: float | None = None,
        history: bool = False,
        maximize: bool = False,
        callback: Callable[..., Any] | None = None,
        resume: Any = None,
    ) -> None:
        setup = Setup(
            x0,
            method,
            options,
            tol,
            x_scale=x_scale,
            max_seconds=max_seconds,
            history=history,
            maximize=maximize,
            resume=resume,
        )
        if Wants.PER_SAMPLE in setup.plan.solver.wants:
            msg = "the method learns from the gradients of single rows, which cannot be told: "
            raise SettingsError(msg + "use hessx.minimize with a hessx.FiniteSum")
        if Wants.RESIDUAL in setup.plan.solver.wants:
            msg = "the method is made of residuals, which cannot be told: "
            raise SettingsError(msg + "use hessx.minimize with a hessx.SumOfSquares")
        self._space, self._run = setup.space, setup.run(Counts(), callback)
        self._asked = False
        self._move_on()

    @property
    def done(self) -> bool:
        """Whether the run has ended."""
        return not self._run.running

    @property
    def wants(self) -> str:
        """What to evaluate at the point of ``ask``."""
        if self.done:
            return "nothing"
        return "hessian" if self._run.wants_hessian else "value and gradient"

    @property
    def sample(self) -> Sample | None:
        """The rows of a finite sum to evaluate it on: a stochastic method's; None for all."""
        return None if self.done else self._run.request.sample

    @property
    def checkpoint(self) -> Checkpoint:
        """The run as it stands."""
        return self._run.checkpoint().copied()

    def ask(self) -> Array:
        """Give the point at which ``wants`` is to be evaluated; the same until it is told.

        Returns
        -------
        array, shape of x0
            Never written again.  On NumPy a copy: what is written to it changes nothing.
        """
        if self.done:
            msg = f"the run has ended ({self._run.outcome.value}): see result()"
            raise ValueError(msg)
        self._asked = True
        return self._space.for_user(self._run.request.x)

    def tell(self, value: Any = None, grad: Any = None, *, hessian: Any = None) -> None:
        """Answer what was asked.

        Parameters
        ----------
        value : float or 0-d array
            f(x), where ``wants`` is "value and gradient".
        grad : array, shape of x0
            Its gradient.
        hessian : operator, matrix or callable
            Where ``wants`` is "hessian": symmetric, of shape (n, n) or x.shape + x.shape, or
            v, shape (n,) -> H v.
        """
        self._check(value, grad, hessian)
        run = self._run
        with interrupts(run.watch):
            told = Reply(run.request.ticket, value, grad, hessian)
            reply = take_reply(self._space, told, run.counts, run.sign)
            if hessian is None:
                run.counts.values += 1
                run.counts.gradients += 1
                whole = getattr(run.solver, "N", None) or 0
                run.counts.rows += whole if self.sample is None else self.sample.size
            run.absorb(reply)
            self._asked = False
            self._move_on()

    def result(self) -> Result:
        """Give the returned point; before the end, the best one so far.

        Returns
        -------
        Result
            As that of `minimize`; before the end with the outcome RUNNING, and without ``hess_inv``
            and ``checkpoint``.
        """
        if not self._run.counts.values:
            msg = "nothing has been told yet: expected value and gradient at the first point"
            raise ValueError(msg)
        return self._run.result()

    def _move_on(self) -> None:
        run = self._run
        if run.running and run.answered:
            run.go_on()

    def _check(self, value: Any, grad: Any, hessian: Any) -> None:
        if not self._asked:
            msg = "tell without ask: ask for the next point first, once for each answer"
            raise ValueError(msg)
        given = [
            name
            for name, part in (("value", value), ("grad", grad), ("hessian", hessian))
            if part is not None
        ]
        expected = ["hessian"] if self._run.wants_hessian else ["value", "grad"]
        if given != expected:
            what = "tell(hessian=H)" if self._run.wants_hessian else "tell(value, grad)"
            msg = f"told {' and '.join(given) or 'nothing'}: expected {what}, for {self.wants}"
            raise ValueError(msg)
