"""The full state of a run between two evaluations, in a form that any machine can take up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from typing import Any

from hessx._xp import Space, host_space, same_bits
from hessx.core._messages import Counts
from hessx.core._outcome import Outcome
from hessx.core._settings import SettingsError
from hessx.core._trace import History, Record
from hessx.core.persistence._archive import CheckpointError
from hessx.core.persistence._difference import difference
from hessx.core.persistence._encoding import Reader, Writer

__all__ = ["Checkpoint", "checkpoint_of"]

_Content = tuple[dict[str, Any], dict[str, Any]]


class Checkpoint:
    """A run that was put down.

    A run makes it (``result.checkpoint``), `load` reads it; ``minimize(..., resume=checkpoint)``
    and `AskTell` take it up, any number of times.

    Attributes
    ----------
    shape, dtype, library : tuple of int, str, str
        Of x.
    method : composition
        The method and its settings.
    state : object
        What the method remembers, made anew at each look, as arrays of NumPy or of the library
        that `load` was given; ``state.point`` is the current point, where there is one yet.
    outcome, message : Outcome, str
        RUNNING, or why the run had ended.
    counts, seconds : Counts, float
        What was spent.
    history : History, optional
        The records, where they were kept.

    Raises
    ------
    CheckpointError
        On a look at something that the file holds in a damaged or unknown form.

    Notes
    -----
    That of a result refers to the arrays of the run until it is saved: do not write to them.

    Examples
    --------
    >>> import hessx
    >>> result = hessx.minimize(lambda x: (x @ x, 2 * x), [3.0, 4.0], jac=True)
    >>> result.checkpoint.state.point.value == result.fun
    True
    >>> result.checkpoint
    <checkpoint after 3 evaluations, x of shape (2,), float64 (numpy)>
    """

    __slots__ = ("_content", "_make", "_space")

    def __init__(
        self, content: _Content | Callable[[], _Content], space: Space | None = None
    ) -> None:
        self._make = content if callable(content) else None
        self._content = None if callable(content) else content
        self._space = space

    @property
    def content(self) -> _Content:
        """The header and the arrays, as in the file."""
        if self._make is not None:
            self._content, self._make = self._make(), None
        return self._content  # type: ignore[return-value]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of x."""
        return tuple(self._entry("shape"))

    @property
    def dtype(self) -> str:
        """Of x, as NumPy names it."""
        return str(self._entry("dtype"))

    @property
    def library(self) -> str:
        """Of x, where the run was."""
        return str(self._entry("library"))

    @property
    def maximize(self) -> bool:
        """Whether the run maximises."""
        return self._entry("maximize") is True

    @property
    def answered(self) -> bool:
        """Whether the state's request has been answered; else it is to be answered next."""
        return self._entry("answered") is True

    @property
    def method(self) -> Any:
        """The method and its settings."""
        return self._read("method")

    @property
    def state(self) -> Any:
        """What the method remembers."""
        return self._read("state")

    @property
    def outcome(self) -> Outcome:
        """RUNNING, or why the run had ended."""
        outcome: Outcome = self._read("outcome")
        return outcome

    @property
    def message(self) -> str:
        """The numbers that decided."""
        return str(self._entry("message"))

    @property
    def counts(self) -> Counts:
        """Evaluations so far."""
        return Counts(**self._read("counts"))

    @property
    def seconds(self) -> float:
        """Spent so far."""
        seconds: float = self._read("seconds")
        return seconds

    @property
    def history(self) -> History | None:
        """The records so far."""
        lines = self._read("history")
        if lines is None:
            return None
        history = History()
        for line in lines:
            history.append(Record(*line))
        return history

    def copied(self) -> Checkpoint:
        """Copy the arrays off a run that goes on."""
        header, arrays = self.content
        return Checkpoint((header, {key: array.copy() for key, array in arrays.items()}))

    def check(self, space: Space, *, maximize: bool) -> None:
        """Refuse an x0, or a sense, other than that of the run; SettingsError."""
        for what, given, expected in (
            ("shape", space.shape, self.shape),
            ("dtype", str(space.host_dtype), self.dtype),
            ("tree", _layout(space), self._entry("tree")),
        ):
            if given != expected:
                msg = f"x0 has {what} {given}: expected {expected}, as in the checkpoint"
                raise SettingsError(msg)
        if maximize != self.maximize:
            msg = f"maximize = {maximize}: the checkpoint is of a run with {self.maximize}"
            raise SettingsError(msg)

    def method_in(self, space: Space) -> Any:
        """Make the method; CheckpointError where a part of it has to be given again."""
        return self._read("method", space)

    def state_for(self, method: Any, space: Space) -> Any:
        """Make the state in a space, for a method that has to be the checkpoint's own.

        Parameters
        ----------
        method : Solver
            Of which the state uses the parts.
        space : Space
            That of the run to come.

        Raises
        ------
        SettingsError
            Another method.
        """
        header, arrays = self.content
        given = Writer()
        tree = given.tree(method, "method", given=True)
        for name in getattr(method, "budget", ()):
            _level(tree, header["method"], name)
        text = difference(tree, header["method"], "method")
        if text is None:
            differs = any(not same_bits(a, arrays[key]) for key, a in given.arrays.items())
            text = "an array of method differs from that in the checkpoint" if differs else None
        if text is not None:
            msg = f"{text}: give the method of the run with its options, or leave method out"
            raise SettingsError(msg)
        return self._read("state", space, given.objects)

    def _entry(self, name: str) -> Any:
        try:
            return self.content[0][name]
        except KeyError as error:
            msg = f"the checkpoint is incomplete: it has no {name}"
            raise CheckpointError(msg) from error

    def _read(self, name: str, space: Space | None = None, objects: Any = None) -> Any:
        header, arrays = self.content
        tree = self._entry(name)
        try:
            reader = Reader(space or self._own_space(), arrays, objects or [])
            if objects is None and name == "state":
                reader.value(header["method"])  # of which the state shares the parts
            return reader.value(tree)
        except LookupError as error:
            problem = error.args[0] if type(error) is LookupError else f"no {error}"
            msg = f"the checkpoint's {name} cannot be made: {problem}"
            raise CheckpointError(msg) from error
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            msg = (
                f"the checkpoint's {name}, written by hessx {header.get('hessx')}, cannot be made: "
                f"{error}"
            )
            raise CheckpointError(msg) from error

    def _own_space(self) -> Space:
        return self._space or host_space(self.shape, self.dtype)

    def __reduce__(self) -> Any:
        content: Any
        try:
            content = self.content
        except TypeError as error:  # the result around it is to be had all the same
            content = _Unsaveable(str(error))
        return Checkpoint, (content, self._space)

    def __repr__(self) -> str:
        if self._content is None:
            return "<checkpoint of a run>"
        x = f"x of shape {self.shape}, {self.dtype} ({self.library})"
        return f"<checkpoint after {self.counts.values} evaluations, {x}>"


class _Unsaveable:
    """In place of the content: says why there is none."""

    def __init__(self, message: str) -> None:
        self.message = message

    def __call__(self) -> _Content:
        raise TypeError(self.message)


def _level(given: Any, saved: Any, name: str) -> None:
    """Let two descriptions of an object not differ in an attribute."""
    if given.keys() == saved.keys() == {"object"} and name in saved["object"][2]:
        given["object"][2][name] = saved["object"][2][name]


def _layout(space: Space) -> str | None:
    """The containers of x and the shapes of its leaves, for comparison."""
    return None if space.tree is None else f"{space.tree.containers} of {space.tree.shapes}"


def checkpoint_of(
    method: Any,
    state: Any,
    *,
    answered: bool,
    maximize: bool,
    outcome: Outcome,
    message: str,
    counts: Counts,
    seconds: float,
    history: History | None,
) -> _Content:
    """Describe a run; TypeError where something in its state cannot be saved."""
    writer, space = Writer(), state.space
    names = [field.name for field in fields(Record)]
    lines = None
    if history is not None:
        lines = [[getattr(record, name) for name in names] for record in history]
    header = {
        "library": space.kind_name,
        "shape": [*space.shape],
        "tree": _layout(space),
        "dtype": str(space.host_dtype),
        "maximize": maximize,
        "answered": answered,
        "message": message,
        # first the method, whose parts the state shares
        "method": writer.tree(method, "method", given=True),
        "state": writer.tree(state, "state"),
        "outcome": writer.tree(outcome, "outcome"),
        "counts": writer.tree(asdict(counts), "counts"),
        "seconds": seconds,
        "history": writer.tree(lines, "history"),
    }
    return header, writer.arrays
