"""Validators say what was given and what was expected; records and history are plain data."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from hessx.core import History, Point, Record, Result, SettingsError, check_integer, check_real


@pytest.mark.parametrize("value", [0.5, 1, np.float32(0.25), np.float64(0.5), np.int64(1)])
def test_real_numbers_pass(value):
    check_real("c", value, 0.0, 2.0)


@pytest.mark.parametrize("value", [0.0, 2.0, -1, math.nan, math.inf, "1", None, True, 1j, [1.0]])
def test_others_do_not(value):
    with pytest.raises(SettingsError, match=r"c = .*: expected a number in \(0, 2\)"):
        check_real("c", value, 0.0, 2.0)


@pytest.mark.parametrize("ends", ["()", "[)", "(]", "[]"])
@pytest.mark.parametrize(("low", "high"), [(0.0, 2.0), (-math.inf, math.inf)])
def test_ends_of_an_interval(ends, low, high):
    """Square brackets take them in, round ones do not, as in mathematics; infinite ones too."""
    for end, belongs in ((low, ends[0] == "["), (high, ends[1] == "]")):
        for value in (end, np.float32(end), np.array(end)):
            if belongs:
                assert check_real("c", value, low, high, ends) == end
            else:
                with pytest.raises(SettingsError, match=r"c = .*: expected a number in [\[(]"):
                    check_real("c", value, low, high, ends)
    assert check_real("c", 1, low, high, ends) == 1.0
    with pytest.raises(SettingsError, match="c = nan"):
        check_real("c", math.nan, low, high, ends)


@pytest.mark.parametrize("value", [4, 4.0, np.int32(4), np.float32(4.0), np.array(4), Fraction(4)])
def test_integers_in_any_form(value):
    found = check_integer("m", value, 1)
    assert (found, type(found)) == (4, int)


@pytest.mark.parametrize(
    "value", [1.5, "1", None, True, 0, -3, np.float64(2.5), math.inf, math.nan, np.array([2]), 1j]
)
def test_what_is_no_integer(value):
    with pytest.raises(SettingsError, match=r"m = .*: expected an integer >= 1"):
        check_integer("m", value, 1)


def test_the_better_point_is_the_lower_one_or_the_flatter():
    """Values within eps_f |f| of each other are equal."""

    def point(value, grad_norm):
        return Point(None, value, grad_norm, grad_norm)

    eps_f = 10 * 2.0**-52
    assert point(1.0, 9.0).is_better_than(point(2.0, 1.0), eps_f)
    assert not point(2.0, 1.0).is_better_than(point(1.0, 9.0), eps_f)
    near = 1.0 + 8 * 2.0**-52
    assert point(near, 1.0).is_better_than(point(1.0, 2.0), eps_f)
    assert not point(1.0, 2.0).is_better_than(point(near, 1.0), eps_f)
    assert not point(math.nan, 0.0).is_better_than(point(1.0, 1.0), eps_f)


def history(*values):
    made = History()
    for k, value in enumerate(values):
        made.append(Record(k, 2 * k + 1, 0.5 * k, value, abs(value)))
    return made


def test_history_has_columns_and_counts_rises():
    made = history(4.0, 1.0, 2.0, 2.0, 3.0, 0.0)
    assert len(made) == 6
    assert made["evaluations"] == [1, 3, 5, 7, 9, 11]
    assert [record.value for record in made] == made["value"]
    assert made.rises == 2
    with pytest.raises(KeyError, match=r"no column 'f': expected one of iteration, evaluations"):
        made["f"]


@pytest.mark.parametrize("by", ["iteration", "evaluations", "seconds"])
def test_history_plots_itself(by):
    pytest.importorskip("plotly")
    made = history(4.0, 1.0, 2.0)
    figure = made.plot(by)
    above, norm = figure.data
    assert list(above.x) == list(norm.x) == made[by]
    assert list(above.y) == [3.0, 0.0, 1.0]
    assert list(norm.y) == made["grad_norm"]
    assert figure.layout.yaxis.type == "log"


def test_a_result_is_a_dict():
    result = Result(x=1.0, fun=2.0)
    result.extra = 3.0
    assert result == {"x": 1.0, "fun": 2.0, "extra": 3.0}
    del result.extra
    with pytest.raises(AttributeError, match="no entry 'extra'; there are x, fun"):
        result.extra  # noqa: B018
    assert repr(result) == "  x: 1.0\nfun: 2.0"
