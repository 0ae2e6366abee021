"""Rows come back from a file as they were, and a damaged file says where."""

from __future__ import annotations

from dataclasses import fields

import pytest

import hessx
from hessx.comparison import HessianRow, read_hessian_rows, write_hessian_rows

ROWS = [
    HessianRow("bfgs", "bfgs", 3, 2, problem="a, b", value=0.1, error=1.0 / 3.0, negative=0),
    HessianRow("sr1", "points", 0, 1, block="W", link=2, exact=False, spectrum=(-1.0, 0.5)),
]


def test_a_file_holds_all(tmp_path):
    path = tmp_path / "hessians.csv"
    write_hessian_rows(path, ROWS)
    found = read_hessian_rows(path)
    for row, again in zip(ROWS, found, strict=True):
        for field in fields(HessianRow):
            was, now = getattr(row, field.name), getattr(again, field.name)
            assert was == now or (was != was and now != now), field.name
            assert type(was) is type(now)
    assert repr(hessx.HessianComparison.from_csv(path)) == repr(hessx.HessianComparison(ROWS))


@pytest.mark.parametrize(
    ("old", "new"),
    [(",0.1,", ",a tenth,"), (",True,", ",yes,"), ("sr1,points,0", "sr1,points,"), ("W,2", "W")],
)
def test_a_damaged_line_is_named(tmp_path, old, new):
    path = tmp_path / "hessians.csv"
    write_hessian_rows(path, ROWS)
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))
    line = 2 if "bfgs" in next(part for part in text.splitlines() if old in part) else 3
    with pytest.raises(ValueError, match=f"hessians.csv, line {line}: not a row"):
        read_hessian_rows(path)


def test_other_columns_are_refused(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("approximation,point\n")
    with pytest.raises(ValueError, match=r"line 1: not the columns.*missing: steps"):
        read_hessian_rows(path)
