"""Training on the ten digits: every rule at a rate that was looked for with the same budget."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import hessx
from hessx._xp import fetch, space_of
from hessx.study.backends import open_backend
from hessx.study.classes import Classes
from hessx.study.problems.ten_digits import MODELS, TRAINING
from hessx.study.sampled import Sampled

__all__ = ["WHOLE", "Trained", "compare_with_adam", "train", "train_whole", "write_rows"]

WHOLE = {"lbfgs": "L-BFGS, whole sum", "newton-cg": "Newton-CG, whole sum"}
_RANGE = 10.0  # rates are drawn from 1 / 10 to 10 times that of `SAMPLED`
_GTOL = 1e-6


@dataclass
class Trained:
    """What a method has come to.

    Attributes
    ----------
    problem, method : str
        Of `MODELS`, and of `SAMPLED` or `WHOLE`.
    rate : float
        The best of the trials; nan where there is a line search.
    outcome : str
        Of the run.
    loss, accuracy : float
        Over all training rows at the returned point, penalty included, and the share of the
        validation rows that it tells rightly.
    passes : float
        Over the training rows, by gradients and products with the Hessian; those of the trials
        are not among them.
    seconds : float
        Of the processor, for the run alone.
    to_adam : int or str
        The first epoch, or iteration, after which the loss is as low as Adam's at the end.
    curve : list of float
        The loss after each epoch, or iteration; not part of the file.
    """

    problem: str
    method: str
    rate: float
    outcome: str
    loss: float
    accuracy: float
    passes: float
    seconds: float
    to_adam: int | str = ""
    curve: list[float] = field(default_factory=list)


_COLUMNS = [f.name for f in fields(Trained) if f.name != "curve"]


def train(problem: str, rule: Sampled, *, epochs: int, trials: int, budget: int) -> Trained:
    """Look for a rate, with so many epochs for so many trials, and run at the best one."""
    classes = MODELS[problem](open_backend("numpy", "float64"))

    def trial(settings: dict[str, Any], size: int, before: Any) -> Any:
        taken_up = None if before is None else before.checkpoint
        return rule.run(classes.loss(), classes.x0, epochs=size, resume=taken_up, **settings)

    ranges = {"rate": (rule.rate / _RANGE, rule.rate * _RANGE)}
    rate = hessx.tune_runs(trial, ranges, trials=trials, budget=budget).settings["rate"]
    return _timed(
        problem,
        rule.name,
        classes,
        lambda look: rule.run(classes.loss(), classes.x0, epochs=epochs, rate=rate, callback=look),
        rate,
    )


def train_whole(problem: str, method: str, *, epochs: int) -> Trained:
    """Run a method that sees the whole sum: so many evaluations, with the products on top."""
    classes = MODELS[problem](open_backend("numpy", "float64"))
    options = {"maxfun": epochs, "gtol": _GTOL, "ftol": 0.0}
    return _timed(
        problem,
        method,
        classes,
        lambda look: hessx.minimize(
            classes.loss(), classes.x0, method=method, options=options, callback=look
        ),
    )


def _timed(
    problem: str,
    method: str,
    classes: Classes,
    run: Callable[[Callable[[Any], None]], hessx.Result],
    rate: float = math.nan,
) -> Trained:
    """Run, with a clock that stands still while the loss of all rows is looked at."""
    space, looking = space_of(classes.x0), 0.0
    curve: list[float] = []

    def number(value: Any) -> float:
        (host,), _ = fetch(space, [value])
        return float(host)

    def look(intermediate_result: Any) -> None:
        nonlocal looking
        at = time.process_time()
        curve.append(number(classes.model.value(intermediate_result.x)))
        looking += time.process_time() - at

    began = time.process_time()
    result = run(look)
    seconds = time.process_time() - began - looking
    return Trained(
        problem,
        method,
        rate,
        result.outcome.value,
        number(classes.model.value(result.x)),
        number(classes.accuracy(space.flat(result.x))),
        result.counts.rows / TRAINING,
        seconds,
        curve=curve,
    )


def compare_with_adam(rows: Sequence[Trained]) -> None:
    """Say of each row when it was as low as Adam's last loss on the same problem."""
    last = {row.problem: row.loss for row in rows if row.method == "adam"}
    for row in rows:
        low = last.get(row.problem, -math.inf)
        row.to_adam = next((i for i, loss in enumerate(row.curve, 1) if loss <= low), "")


def write_rows(path: Path, rows: Sequence[Trained]) -> None:
    """Write all rows to a CSV file, in the place of what was there."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows([getattr(row, name) for name in _COLUMNS] for row in rows)
