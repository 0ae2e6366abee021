"""Pictures and the table are made of rows alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import hessx
from hessx.models import Perceptron

pytest.importorskip("plotly")
KINDS = (
    "errors", "scaled", "ratios", "steps", "secants", "models", "conditions", "spectra", "chain",
    "blocks", "costs",
)  # fmt: skip


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((40, 3))
    model = Perceptron(X, (X[:, 0] * X[:, 1] > 0.0) * 1.0, layers=(3,))
    return hessx.compare_hessians(model, model.start(0), iterations=4, every=2, name="toy")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_enough_and_every_number_counts(found, kind, tmp_path):
    found.to_csv(tmp_path / "hessians.csv")
    again = hessx.HessianComparison.from_csv(tmp_path / "hessians.csv")
    drawn = found.plot(kind).to_json()
    assert again.plot(kind).to_json() == drawn
    assert str(again) == str(found)
    doctored = [replace(row, **{name: _doubled(row, name) for name in _READ}) for row in found.rows]
    assert hessx.HessianComparison(doctored).plot(kind).to_json() != drawn


_READ = (
    "error", "scaled_error", "dennis_more", "step_error", "secant_error", "reduction",
    "preconditioned_condition", "spectrum", "added",
)  # fmt: skip


def _doubled(row, name):
    value = getattr(row, name)
    return tuple(2.0 * entry for entry in value) if isinstance(value, tuple) else 2.0 * value


def test_all_approximations_are_drawn(found):
    assert found.names == [*hessx.comparison.CHAIN]
    titles = [trace.name for trace in found.plot("errors").data]
    assert titles == found.names
    added = [trace.name for trace in found.plot("chain").data]
    assert added == ["gauss-newton of H", "layers of gauss-newton", "kfac of layers",
                     "diagonal of kfac"]  # fmt: skip
    blocks = {trace.name: list(trace.x) for trace in found.plot("blocks").data}
    assert blocks["kfac"] == ["layer0.W", "layer0.b", "layer1.W", "layer1.b", "between"]


def test_the_table_fits_a_terminal(found):
    lines = str(found).splitlines()
    assert len(lines) == 1 + len(found.names)
    assert max(map(len, lines)) <= 80
    row = found.last("kfac")
    assert f"{row.scaled_error:.3g}" in lines[3]


def test_an_unknown_kind_is_refused(found):
    with pytest.raises(ValueError, match="kind = 'error': expected one of 'errors', 'scaled'"):
        found.plot("error")
    with pytest.raises(KeyError, match="no approximation 'bfgs': expected one of gauss-newton"):
        found.of("bfgs")
