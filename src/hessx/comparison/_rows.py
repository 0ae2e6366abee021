"""What is known of an approximation at a point, as a row of a file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

__all__ = ["QUANTILES", "HessianRow", "read_hessian_rows", "write_hessian_rows"]

QUANTILES = tuple(i / 16 for i in range(17))

_Spectrum = tuple[float, ...]


@dataclass
class HessianRow:
    """An approximation B of the Hessian H at a point x, whole or in a block.

    Numbers that are not known are nan; of text "", of spectra (), of integers None.

    Attributes
    ----------
    problem : str
        As named by who compares; "" without a name.
    approximation : str
        B.
    steps : str
        Who made the steps of the run: a method, or "points" that were given.
    point : int
        Place of x on the run; 0 is the start.
    block : str
        "" for the whole; the name of a leaf of x, for the diagonal block of B and H that belongs to
        it; "between" for what is outside of all diagonal blocks.
    link : int, optional
        Place of B in a chain of approximations, each made of the one before; 1 is made of H.
    n : int
        Rows of the matrix.
    exact : bool
        By the matrices themselves; else by products with random vectors, and by Lanczos.
    value, grad_norm : float
        f(x), and norm_inf of the gradient.
    error, error_deviation : float
        norm_F(B - H) / norm_F(H), and its standard error, 0 where exact.
    scale, scaled_error : float
        The c > 0 for which norm_F(c B - H) is least, 0 where none is better, and the error then:
        what a rate can mend, and what it cannot.
    added, added_deviation : float
        norm_F(B - B') / norm_F(H) with B' the link before, H before the first.
    step_norm : float
        norm_2 of s, the step from x to the next point of the run.
    dennis_more : float
        norm((B - H) s) / norm(s).
    step_error : float
        norm((B - H) s) / norm(H s).
    forcing : float
        norm(g + H s) / norm(g): how far the step is from Newton's, whatever made it.
    secant_error : float
        norm(B s - y) / norm(y) of B after it has learnt (s, y).
    model_reduction, reduction : float
        -g's - s'B s / 2, and f(x) - f(x + s).
    hessian_least, hessian_largest, hessian_condition : float
        Of the eigenvalues of H; the condition number is max abs / min abs.
    least, largest, condition : float
        Of B.
    preconditioned_least, preconditioned_largest, preconditioned_condition : float
        Of B^-1 H, where B is positive definite.
    hessian_spectrum, spectrum, preconditioned_spectrum : tuple of float
        Eigenvalues at `QUANTILES`, ascending, to six digits.
    hessian_definiteness, definiteness : str
        "positive definite", "positive semidefinite", "indefinite", "negative semidefinite",
        "negative definite", "zero"; or "undecided".
    hessian_negative, negative : int, optional
        How many eigenvalues are negative, where exact.
    memory : int, optional
        Bytes of the arrays that B owns.
    build, product, solve : float
        Time to bring B to a point, the mean since the last row, of B v and of B^-1 v, in times of
        one value and gradient.
    gradients, products : float
        Gradients and products with the Hessian that bring B to a point, the mean likewise.
    """

    approximation: str
    steps: str
    point: int
    n: int
    problem: str = ""
    block: str = ""
    link: int | None = None
    exact: bool = True
    value: float = math.nan
    grad_norm: float = math.nan
    error: float = math.nan
    error_deviation: float = math.nan
    scale: float = math.nan
    scaled_error: float = math.nan
    added: float = math.nan
    added_deviation: float = math.nan
    step_norm: float = math.nan
    dennis_more: float = math.nan
    step_error: float = math.nan
    forcing: float = math.nan
    secant_error: float = math.nan
    model_reduction: float = math.nan
    reduction: float = math.nan
    hessian_least: float = math.nan
    hessian_largest: float = math.nan
    hessian_condition: float = math.nan
    least: float = math.nan
    largest: float = math.nan
    condition: float = math.nan
    preconditioned_least: float = math.nan
    preconditioned_largest: float = math.nan
    preconditioned_condition: float = math.nan
    hessian_spectrum: _Spectrum = ()
    spectrum: _Spectrum = ()
    preconditioned_spectrum: _Spectrum = ()
    hessian_definiteness: str = ""
    definiteness: str = ""
    hessian_negative: int | None = None
    negative: int | None = None
    memory: int | None = None
    build: float = math.nan
    product: float = math.nan
    solve: float = math.nan
    gradients: float = math.nan
    products: float = math.nan


_COLUMNS = [f.name for f in fields(HessianRow)]
_KINDS: dict[str, Any] = {f.name: f.type for f in fields(HessianRow)}


def write_hessian_rows(path: Path | str, rows: Iterable[HessianRow]) -> None:
    """Write rows to a CSV file, a line each, in the place of what was there.

    Parameters
    ----------
    path : path
        Numbers are written so that reading gives the same ones; "" is a number that is not known.
    rows : iterable of HessianRow
        In their order.
    """
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows([_text(getattr(row, name)) for name in _COLUMNS] for row in rows)


def read_hessian_rows(path: Path | str) -> list[HessianRow]:
    """Read what `write_hessian_rows` has written.

    Raises
    ------
    ValueError
        Other columns, or a damaged line, which is named by its number.
    """
    with Path(path).open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.reader(file)
        header = next(reader, [])
        if header != _COLUMNS:
            missing = ", ".join(name for name in _COLUMNS if name not in header) or "none"
            msg = f"{path}, line 1: not the columns of rows on Hessians (missing: {missing})"
            raise ValueError(msg)
        return list(_parsed(reader, path))


def _parsed(reader: Any, path: Path | str) -> Iterator[HessianRow]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
            if len(cells) != len(_COLUMNS):
                msg = f"{len(cells)} fields: expected {len(_COLUMNS)}"
                raise ValueError(msg)
            pairs = zip(_COLUMNS, cells, strict=True)
            yield HessianRow(**{name: _value(_KINDS[name], cell) for name, cell in pairs})
        except StopIteration:
            return
        except (ValueError, csv.Error) as error:
            msg = f"{path}, line {line}: not a row ({error}): mend the line or take it out"
            raise ValueError(msg) from error


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ";".join(f"{entry:.6g}" for entry in value)
    if value is None or value != value:  # nan
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def _value(kind: str, cell: str) -> Any:
    if kind == "str":
        return cell
    if kind == "bool":
        return _flag(cell)
    if kind == "_Spectrum":
        return tuple(float(entry) for entry in cell.split(";")) if cell else ()
    if kind == "float":
        return float(cell) if cell else math.nan
    return int(cell) if cell or kind == "int" else None


def _flag(cell: str) -> bool:
    if cell not in ("True", "False"):
        msg = f"{cell!r}: expected True or False"
        raise ValueError(msg)
    return cell == "True"
