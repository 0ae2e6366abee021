"""Rates that the device finds, beside their formulas in NumPy."""

from __future__ import annotations

import json

import numpy as np
import pytest

import hessx
from hessx._xp import Packet, space_of
from hessx.core.persistence._encoding import Reader, Writer

n, STEPS = 6, 8
H = np.linspace(1.0, 3.0, n)


def polyak(lowest, largest):
    """Loizou et al. (2021), eq. (3), with c = 1."""
    return lambda t, f, g, d, past: min((f - lowest) / (g @ g), largest)


def hypergradient(rate, beta):
    """Baydin et al. (2018), algorithm 4: alpha_t = alpha_(t-1) + beta g_t'g_(t-1)."""

    def of(t, f, g, d, past):
        past["alpha"] = past.get("alpha", rate) + beta * (g @ past.get("g", np.zeros(n)))
        past["g"] = g
        return past["alpha"]

    return of


RATES = {
    "polyak": (hessx.PolyakRate(), polyak(0.0, np.inf)),
    "polyak, bounded": (hessx.PolyakRate(-1.0, largest=0.4), polyak(-1.0, 0.4)),
    "hypergradient": (hessx.Hypergradient(0.05, 0.01), hypergradient(0.05, 0.01)),
}


def reference(of):
    """Rates and points of gradient descent on sum H x^2 / 2, in NumPy."""
    x, past, rates = np.ones(n), {}, []
    for t in range(1, STEPS + 1):
        g = H * x
        rates.append(of(t, 0.5 * (x @ g), g, g, past))
        x = x - rates[-1] * g
    return np.array(rates), x


def there_and_back(value, space):
    writer = Writer()
    tree = json.loads(json.dumps(writer.tree(value, "value"), allow_nan=False))
    return Reader(space, writer.arrays, []).value(tree)


def descend(backend, rule, put_down=False):
    x, h = backend.asarray(np.ones(n)), backend.asarray(H)
    space, rates = space_of(x), []
    live = rule.begin(space)
    for t in range(1, STEPS + 1):
        live = there_and_back(live, space) if put_down else live
        g = h * x
        rates.append(live.at(t, (x @ g) * 0.5, g, g))
        x = x - rates[-1] * g
        if space.lazy:
            packet = Packet(space)
            packet.ask(rate=rates[-1])
            live.hold(packet)
            packet.fetch()
    return rates, x


@pytest.mark.parametrize("name", RATES)
def test_rates_are_those_of_numpy(backend, name):
    rule, of = RATES[name]
    expected, end = reference(of)
    rates, x = descend(backend, rule)
    for rate in rates:
        assert (rate.ndim, rate.dtype) == (0, x.dtype)  # NumPy's may be a scalar
    backend.assert_same_kind(x, backend.asarray(H))
    found = np.array([backend.to_numpy(rate) for rate in rates])
    np.testing.assert_allclose(found, expected, rtol=1e3 * backend.eps)
    np.testing.assert_allclose(backend.to_numpy(x), end, rtol=1e3 * backend.eps)


@pytest.mark.parametrize("name", RATES)
@pytest.mark.backends("numpy", "torch-float32")
def test_rates_put_down_go_on_as_if_not(backend, name):
    rates, x = descend(backend, RATES[name][0])
    again, x_again = descend(backend, RATES[name][0], put_down=True)
    for a, b in zip([*rates, x], [*again, x_again], strict=True):
        assert backend.to_numpy(a).tobytes() == backend.to_numpy(b).tobytes()


@pytest.mark.parametrize("name", RATES)
@pytest.mark.backends("fakegpu")
def test_rates_never_wait(backend, name):
    x, h = backend.asarray(np.ones(n)), backend.asarray(H)
    with backend.fetches() as waits, backend.meter.forbid_waits():
        live = RATES[name][0].begin(space_of(x))
        for t in range(1, 4):
            g = h * x
            x = x - live.at(t, (x @ g) * 0.5, g, g) * g
    assert waits.count == 0


def test_along_another_direction_the_model_reaches_the_lowest_value(backend):
    x, d = backend.asarray(np.ones(n)), backend.asarray(np.arange(1.0, n + 1))
    rate = hessx.PolyakRate(lowest=-2.0).begin(space_of(x)).at(1, 5.0, x, d)
    np.testing.assert_allclose(backend.to_numpy(rate), 7.0 / 21.0, rtol=10 * backend.eps)


@pytest.mark.parametrize(
    ("value", "g", "expected"),
    [
        (0.0, 0.0, 0.0),
        (1.0, 0.0, 0.0),
        (-1.0, 1.0, 0.0),
        (np.nan, 1.0, np.nan),
        (1.0, np.nan, np.nan),
    ],
)  # fmt: skip
def test_no_step_where_there_is_nothing_to_gain(backend, value, g, expected):
    x = backend.asarray(np.full(n, g))
    live = hessx.PolyakRate(largest=9.0).begin(space_of(x))
    np.testing.assert_equal(float(backend.to_numpy(live.at(1, value, x, x))), expected)


def test_no_step_upwards(backend):
    x = backend.asarray(np.ones(n))
    assert backend.to_numpy(hessx.PolyakRate().begin(space_of(x)).at(1, 2.0, x, -x)) == 0.0


@pytest.mark.backends("torch-float32", "jax-float32", "strict-float32", "numpy")
def test_a_value_of_another_width_does_not_widen_the_rate(backend):
    x = backend.asarray(np.ones(n))
    value = backend.asarray(2.0, "float64") if backend.has_float64 else backend.asarray(2.0)
    rate = hessx.PolyakRate().begin(space_of(x)).at(1, value, x, x)
    assert rate.dtype == x.dtype


@pytest.mark.parametrize("unit", [2.0**-40, 2.0**40])
def test_units_of_f_and_x_scale_the_rate(unit):
    """Of x times ``unit``, f as it is: the rate has the unit of x^2 / f."""
    g, f = np.array([1.0, -2.0, 0.3]), 0.7
    rates = [hessx.PolyakRate(0.1).begin(space_of(g)).at(1, f, g / u, g / u) for u in (1.0, unit)]
    assert rates[1] == rates[0] * unit**2


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (hessx.PolyakRate, {"lowest": np.inf}),
        (hessx.PolyakRate, {"largest": 0.0}),
        (hessx.Hypergradient, {"rate": 0.0, "beta": 0.1}),
        (hessx.Hypergradient, {"beta": -0.1, "rate": 0.1}),
    ],
)
def test_settings_out_of_range(make, settings):
    with pytest.raises(hessx.SettingsError, match=next(iter(settings))):
        make(**settings)


def test_settings_of_numpy_become_floats():
    rule = hessx.Hypergradient(np.float64(0.1), np.float32(0.5))
    assert type(rule.rate) is type(rule.beta) is float
    x = np.ones(2, np.float32)
    assert rule.begin(space_of(x)).at(1, 1.0, x, x).dtype == np.float32
