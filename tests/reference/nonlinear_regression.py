"""NIST's Statistical Reference Datasets for nonlinear regression (public domain), unchanged.

The files have data, two starts, and certified parameters with eleven digits:
https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["DATASETS", "Dataset", "dataset"]

_FOLDER = Path(__file__).parent / "nist"
_TINY = 1e-100  # a step into the complex plane that squares to nothing


def _exponentials(b, x):
    return b[0] * np.exp(-b[1] * x) + b[2] * np.exp(-b[3] * x) + b[4] * np.exp(-b[5] * x)


def _gauss(b, x):
    peaks = b[2] * np.exp(-((x - b[3]) ** 2) / b[4] ** 2)
    return b[0] * np.exp(-b[1] * x) + peaks + b[5] * np.exp(-((x - b[6]) ** 2) / b[7] ** 2)


def _cubics(b, x):
    top = b[0] + x * (b[1] + x * (b[2] + x * b[3]))
    return top / (1 + x * (b[4] + x * (b[5] + x * b[6])))


_MODELS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "BoxBOD": lambda b, x: b[0] * (1 - np.exp(-b[1] * x)),
    "Chwirut2": lambda b, x: np.exp(-b[0] * x) / (b[1] + b[2] * x),
    "Eckerle4": lambda b, x: b[0] / b[1] * np.exp(-0.5 * ((x - b[2]) / b[1]) ** 2),
    "Gauss1": _gauss,
    "Hahn1": _cubics,
    "Kirby2": lambda b, x: (b[0] + x * (b[1] + x * b[2])) / (1 + x * (b[3] + x * b[4])),
    "Lanczos1": _exponentials,
    "Lanczos3": _exponentials,
    "MGH09": lambda b, x: b[0] * (x**2 + x * b[1]) / (x**2 + x * b[2] + b[3]),
    "MGH17": lambda b, x: b[0] + b[1] * np.exp(-x * b[3]) + b[2] * np.exp(-x * b[4]),
    "Misra1a": lambda b, x: b[0] * (1 - np.exp(-b[1] * x)),
    "Misra1c": lambda b, x: b[0] * (1 - (1 + 2 * b[1] * x) ** -0.5),
    "Rat42": lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)),
    "Thurber": _cubics,
}
DATASETS = tuple(_MODELS)


@dataclass
class Dataset:
    """Data, model, starts and certified values.

    Attributes
    ----------
    x, y : array
        Predictor and response.
    starts : array, shape (2, n)
        Far and near.
    certified : array, shape (n,)
        The parameters.
    squares : float
        The certified sum of squares, twice the minimum of norm(r)^2 / 2.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    starts: np.ndarray
    certified: np.ndarray
    squares: float

    def residual(self, b: np.ndarray) -> np.ndarray:
        """Model minus response."""
        with np.errstate(all="ignore"):  # far from the data exponentials overflow
            return _MODELS[self.name](b, self.x) - self.y

    def jacobian(self, b: np.ndarray) -> np.ndarray:
        """Exact to rounding, by complex steps."""
        columns = []
        with np.errstate(all="ignore"):
            for j in range(len(b)):
                step = np.zeros(len(b), dtype=complex)
                step[j] = 1j * _TINY
                columns.append(_MODELS[self.name](b + step, self.x).imag / _TINY)
        return np.stack(columns, axis=1)

    def digits(self, b: np.ndarray) -> float:
        """Correct digits of the worst parameter (the logarithmic relative error), at most 11."""
        error = np.max(np.abs(b - self.certified) / np.abs(self.certified))
        if not math.isfinite(error):
            return 0.0
        return min(11.0, -math.log10(max(error, 1e-11)))


def dataset(name: str) -> Dataset:
    """Read one of `DATASETS`."""
    lines = (_FOLDER / f"{name}.dat").read_text().splitlines()
    rows = [re.split(r"[=\s]+", line.strip()) for line in lines[40:60] if re.match(r"\s+b\d", line)]
    table = np.array([[float(entry) for entry in row[1:4]] for row in rows])
    (squares,) = [float(line.split(":")[1]) for line in lines if line.startswith("Residual Sum")]
    y, x = np.array(
        [[float(entry) for entry in line.split()] for line in lines[60:] if line.strip()]
    ).T
    return Dataset(name, x, y, table[:, :2].T, table[:, 2], squares)
