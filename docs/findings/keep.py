"""Make the rows that stay with the guide of the output of a study.

    python docs/findings/keep.py study-output

A row keeps of its curve the points where a tolerance was first reached, and of some methods on some
problems 150 others.  Of comparisons rows of whole matrices are kept, without spectra.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from math import nan
from pathlib import Path

from hessx.comparison import read_hessian_rows, write_hessian_rows
from hessx.study.analysis import LADDER, best_values, trials
from hessx.study.plan import planned
from hessx.study.records import PLAIN, Curve, Row
from hessx.study.rows import RowFile, read_rows
from hessx.study.settings import read_settings

HERE = Path(__file__).parent
PROBLEMS = {"linear-regression", "rosenbrock", "breast-cancer", "minimal-surface:100"}
METHODS = {
    "gd", "bb", "cg", "cg-hz", "lbfgs", "bfgs", "newton", "trust-exact", "newton-cg", "trust-ncg",
    "gd-fixed", "momentum-whole", "rmsprop-whole", "adam-whole",
}  # fmt: skip


def kept(row: Row, best: dict[str, float]) -> Row:
    """Shorten the texts of a row and its curve."""
    row = replace(row, message="", exception="")
    for name in ("seconds", "solver_seconds", "grad_norm", "start_value"):
        setattr(row, name, float(f"{getattr(row, name):.6g}"))
    plain = row.feature == PLAIN and row.rate is None
    found = trials([row], best, row.feature)
    gaps = found[0].gaps[:-1] if found else ()
    tolerances = LADDER if plain else (1e-3,)
    first = (next((i for i, gap in enumerate(gaps) if gap <= tau), 0) for tau in tolerances)
    chosen = {0, *first} if len(row.curve) else set()
    if plain and row.problem in PROBLEMS and row.method in METHODS:
        steps = set(row.curve.thinned(150).iteration)
        chosen |= {i for i, step in enumerate(row.curve.iteration) if step in steps}
    else:
        row.curve.cosine = [nan] * len(row.curve)  # those of a few points say nothing
    points = {name: [x[i] for i in sorted(chosen)] for name, x in vars(row.curve).items() if x}
    return replace(row, curve=columns(Curve(**points)))


def columns(curve: Curve) -> Curve:
    """Keep three digits of most columns, and no points of the plane."""
    return replace(
        curve,
        second=[float(f"{x:.3g}") for x in curve.second],
        grad_norm=[float(f"{x:.3g}") for x in curve.grad_norm],
        cosine=[float(f"{x:.3g}") for x in curve.cosine],
        x0=[],
        x1=[],
    )


def main(folder: Path) -> None:
    """Write rows.csv and hessians.csv beside this file."""
    jobs = planned(read_settings(HERE.parent / "findings.toml")).jobs({})
    rows = [row for row in read_rows(folder / "rows.csv") if row.job in jobs]
    best = best_values(rows)
    (HERE / "rows.csv").unlink(missing_ok=True)
    RowFile(HERE / "rows.csv").append(kept(row, best) for row in rows)
    bare = {"hessian_spectrum": (), "spectrum": (), "preconditioned_spectrum": ()}
    whole = (row for row in read_hessian_rows(folder / "hessians.csv") if not row.block)
    write_hessian_rows(HERE / "hessians.csv", (replace(row, **bare) for row in whole))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
