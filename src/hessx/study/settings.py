"""What a study is to run: parts of a TOML file, each all combinations of its lists."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from hessx.study.backends import BACKENDS, default_backends
from hessx.study.features import FEATURES
from hessx.study.hessians import Comparing
from hessx.study.records import PLAIN

__all__ = ["BUNDLED", "Part", "RateSearch", "Settings", "bundled_settings", "read_settings"]

BUNDLED = ("quick", "full")
_DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class RateSearch:
    """How methods that have a rate come by it.

    Attributes
    ----------
    budget : int
        Evaluations for the search, equal for all; for methods that see samples, epochs.  0: no
        search, each method takes its own rate.
    trials : int
        Rates that are tried, each with an equal part of the budget.
    width : float
        They are drawn from the method's own over this to that times this.
    """

    budget: int = 0
    trials: int = 8
    width: float = 10.0

    def __post_init__(self) -> None:
        _check(self.budget == 0 or self.budget >= self.trials, "budget", self.budget, "0 or trials")
        _check(self.trials >= 1, "trials", self.trials, "at least 1")
        _check(self.width > 1.0, "width", self.width, "more than 1")


@dataclass(frozen=True)
class Part:
    """All combinations of some lists.

    Attributes
    ----------
    problems, methods : tuple of str
        Names; "all"; ``tag:NAME`` and ``family:NAME``.
    backends : tuple of str
    dtype : str
    features : tuple of str
        Of `hessx.study.features`.
    seeds : tuple of int
    rates : tuple of float
        Multiples of the rate of each method that has one.
    gtol, seconds : float
        As in `Job`.
    tuning : RateSearch
    """

    problems: tuple[str, ...] = ("tag:quick",)
    methods: tuple[str, ...] = ("all",)
    backends: tuple[str, ...] = field(default_factory=lambda: tuple(default_backends()))
    dtype: str = "float64"
    features: tuple[str, ...] = (PLAIN,)
    seeds: tuple[int, ...] = (0,)
    rates: tuple[float, ...] = (1.0,)
    gtol: float = 1e-6
    seconds: float = 3.0
    tuning: RateSearch = field(default_factory=RateSearch)

    def __post_init__(self) -> None:
        for name, known in (("backends", BACKENDS), ("features", FEATURES)):
            for value in getattr(self, name):
                _check(value in known, name, value, f"one of {', '.join(known)}")
        _check(self.dtype in _DTYPES, "dtype", self.dtype, " or ".join(_DTYPES))
        _check(0.0 <= self.gtol < math.inf, "gtol", self.gtol, "at least 0, and finite")
        _check(0.0 < self.seconds < math.inf, "seconds", self.seconds, "more than 0, and finite")
        for seed in self.seeds:
            _check(seed >= 0, "seeds", seed, "at least 0")
        for rate in self.rates:
            _check(0.0 < rate < math.inf, "rates", rate, "more than 0, and finite")


@dataclass(frozen=True)
class Settings:
    """What a study is to run, and with what.

    Attributes
    ----------
    parts : tuple of Part
    memory_limit : float
        Of the process of a run, MiB.
    workers : int
        Runs at a time.
    hessians : tuple of Comparing
        Problems on which approximations are compared with the true Hessian.
    """

    parts: tuple[Part, ...] = field(default_factory=lambda: (Part(),))
    memory_limit: float = 2048.0
    workers: int = 2
    hessians: tuple[Comparing, ...] = ()

    def __post_init__(self) -> None:
        _check(self.memory_limit >= 100.0, "memory_limit", self.memory_limit, "at least 100")
        _check(self.workers >= 1, "workers", self.workers, "at least 1")

    def changed(self, shared: Mapping[str, Any], **common: Any) -> Settings:
        """Change all parts alike, and what is common to them."""
        parts = tuple(replace(part, **shared) for part in self.parts)
        return replace(self, parts=parts, **common)

    def in_words(self) -> dict[str, str]:
        """Give each setting that any part has, for the report."""
        words: dict[str, str] = {}
        for name in asdict(Part()):
            found = dict.fromkeys(_in_words(getattr(part, name)) for part in self.parts)
            words[name] = "; ".join(found)
        words["limits"] = f"{words.pop('seconds')} s a run, {self.memory_limit:g} MiB a process"
        return words | {"runs at a time": str(self.workers)}


def bundled_settings(name: str) -> Settings:
    """Give one of `BUNDLED`."""
    path = files("hessx.study").joinpath("configurations", f"{name}.toml")
    return _settings(tomllib.loads(path.read_text(encoding="utf-8")))


def read_settings(path: Path) -> Settings:
    """Read a TOML file.

    Raises
    ------
    ValueError
        It is no TOML, or has a key or value that is not known; those that are known are listed.
    """
    try:
        return _settings(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        msg = f"{path}: {error}"
        raise ValueError(msg) from error


def _settings(table: dict[str, Any]) -> Settings:
    """Make settings of a table; what stands outside of ``[[part]]`` is the default of the parts."""
    common = {
        name: _converted(name, table.pop(name), getattr(Settings(), name))
        for name in ("memory_limit", "workers")
        if name in table
    }
    parts, hessians = _tables("part", table, [{}]), _tables("hessians", table, [])
    known = ("memory_limit", "workers", "part", "hessians")
    return Settings(
        tuple(_filled(Part, table | part, known) for part in parts),
        **common,
        hessians=tuple(_filled(Comparing, each) for each in hessians),
    )


def _tables(name: str, table: dict[str, Any], default: list[Any]) -> list[Any]:
    """Take ``[[name]]`` out of a table."""
    found = table.pop(name, default)
    _check(
        isinstance(found, list) and all(isinstance(each, dict) for each in found),
        name, found, f"tables [[{name}]]",
    )  # fmt: skip
    return found  # type: ignore[no-any-return]


def _filled(kind: type[Any], table: dict[str, Any], others: tuple[str, ...] = ()) -> Any:
    """Fill a dataclass from a table, each value as the default is."""
    example, names = kind(), [f.name for f in fields(kind)]
    values = {}
    for name, value in table.items():
        _check(name in names, "unknown key", name, f"one of {', '.join((*names, *others))}")
        values[name] = _converted(name, value, getattr(example, name))
    return kind(**values)


def _converted(name: str, value: Any, example: Any) -> Any:
    if isinstance(example, RateSearch):
        _check(isinstance(value, dict), name, value, f"a table [{name}]")
        return _filled(RateSearch, value)
    if isinstance(example, tuple):
        _check(isinstance(value, list) and value != [], name, value, "a list, not empty")
        return tuple(_converted(name, entry, example[0]) for entry in value)
    kind = type(example)
    fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
    names = {str: "text", int: "an integer", float: "a number"}
    _check(fits and not isinstance(value, bool), name, value, names[kind])
    return kind(value)


def _check(holds: bool, name: str, value: Any, expected: str) -> None:
    if not holds:
        msg = f"{name} {value!r}: expected {expected}"
        raise ValueError(msg)


def _in_words(value: Any) -> str:
    if isinstance(value, RateSearch):
        if not value.budget:
            return "none: each method takes its own rate"
        tried = f"{value.trials} rates within a factor of {value.width:g}"
        return f"{tried}, {value.budget} evaluations (or epochs) together"
    if isinstance(value, tuple):
        return ", ".join(map(_in_words, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
