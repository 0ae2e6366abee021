"""Tables for a terminal of 80 columns."""

from __future__ import annotations

import re

import pytest

pytest.importorskip("rich")

from rich.console import Console

import hessx
from hessx.study.methods import METHODS
from hessx.study.records import CRASHED, HOARDED, HUNG, LEFT_OUT, RAISED, Job, Row
from hessx.study.tables import print_tables, wrapped

OUTCOMES = [*(o.value for o in hessx.Outcome), CRASHED, HOARDED, HUNG, LEFT_OUT, RAISED, "ended"]


def printed(rows):
    console = Console(width=80)
    with console.capture() as captured:
        print_tables(console, rows)
    return captured.get()


def rows_of(problem, method, **figures):
    made = [Row.of(Job(problem, method, rate=0.001, seed=3), 65, outcome) for outcome in OUTCOMES]
    for row in made:
        vars(row).update(figures)
    return made


@pytest.mark.parametrize(
    ("problem", "figures", "shown"),
    [
        (
            "digits",
            {
                "iterations": 15000, "evaluations": 20000, "products": 99999,
                "value": -1.23456e-10, "grad_norm": 1.2e-10, "seconds": 12.0,
            },
            "15000 20000 99999 -1.235e-10 1.2e-10 12.00 s",
        ),
        (
            "digits-network",
            {"iterations": 15000, "passes": 1234.5, "value": -1.23456e-10, "accuracy": 0.5,
             "seconds": 12.0},
            "15000 1234 -1.235e-10 0.500 12.00 s",
        ),
    ],
)  # fmt: skip
def test_no_figure_name_or_outcome_is_cut(problem, figures, shown):
    longest = sorted(METHODS, key=lambda name: len(wrapped(name, 18).partition("\n")[0]))[-1]
    for method in (longest, "scipy-trust-krylov", "planted_methods:second_order_and_longer"):
        lines = printed(rows_of(problem, method, **figures)).splitlines()
        assert max(map(len, lines)) <= 80
        found = [line for line in lines if " ".join(line.split()).endswith(shown)]
        assert len(found) == len(OUTCOMES)
        for line, outcome in zip(found, OUTCOMES, strict=True):
            assert outcome.split(":")[0].split(",")[0].split()[0] in line
        assert not any("…" in line for line in lines)


@pytest.mark.parametrize("name", [*METHODS, "scipy:trust-constr", "one:two_three-four"])
def test_a_name_is_broken_after_its_signs_alone(name):
    lines = wrapped(name, 18).split("\n")
    assert "".join(lines) == name
    assert all(line[-1] in "-_:." for line in lines[:-1])
    words = re.split(r"(?<=[-_:.])", name)
    for line in lines:
        assert len(line) <= max(18, max(map(len, words)))


def test_the_tables_of_rows_that_differ_say_how():
    rows = rows_of("digits", "sgd")
    rows[0].feature, rows[1].backend = "noise", "torch"
    text = printed(rows)
    for title in ("digits, numpy, float64, noise", "digits, torch, float64"):
        assert title in text
    assert "rate 0.001" in text
    assert "seed 3" in text


def test_a_method_of_scipy_is_not_taken_for_that_of_the_same_name():
    said = printed([Row.of(Job("beale", name), 2, "ended") for name in ("bfgs", "scipy:bfgs")])
    assert [line.split()[0] for line in said.splitlines()[2:] if line.strip()][-2:] == [
        "bfgs",
        "scipy:bfgs",
    ]
