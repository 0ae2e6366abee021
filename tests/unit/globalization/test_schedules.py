"""Schedules beside torch.optim.lr_scheduler, step by step, and by their own promises."""

from __future__ import annotations

import json
import math
import warnings
from functools import partial

import numpy as np
import pytest

import hessx
from hessx._xp import space_of
from hessx.core.persistence._encoding import Reader, Writer
from hessx.globalization import as_schedule

RATE = 0.3
# name -> (ours, how torch makes it of its lr_scheduler module and an optimizer)
AS_TORCH = {
    "StepLR": (hessx.StepDecay(RATE, every=7, factor=0.4), ("StepLR", 7, 0.4)),
    "MultiStepLR": (
        hessx.MultiStepDecay(RATE, [30, 5, 30, 11], 0.5),
        ("MultiStepLR", [30, 5, 30, 11], 0.5),
    ),
    "ConstantLR": (
        hessx.WarmUp(RATE, steps=9, first=0.25, shape="constant"),
        ("ConstantLR", 0.25, 9),
    ),
    "LinearLR": (hessx.WarmUp(RATE, steps=9, first=0.1), ("LinearLR", 0.1, 1.0, 9)),
    "ExponentialLR": (hessx.ExponentialDecay(RATE, 0.97), ("ExponentialLR", 0.97)),
    "PolynomialLR": (hessx.PolynomialDecay(RATE, power=1.7), ("PolynomialLR", 60, 1.7)),
    "PolynomialLR line": (hessx.PolynomialDecay(RATE, steps=60), ("PolynomialLR", 60)),
    "CosineAnnealingLR": (hessx.Cosine(RATE), ("CosineAnnealingLR", 60)),
    "CosineAnnealingLR lowest": (
        hessx.Cosine(RATE, steps=60, lowest=0.02),
        ("CosineAnnealingLR", 60, 0.02),
    ),
    "CosineAnnealingWarmRestarts": (
        hessx.WarmRestarts(RATE, period=7),
        ("CosineAnnealingWarmRestarts", 7),
    ),
    "CosineAnnealingWarmRestarts growth": (
        hessx.WarmRestarts(RATE, period=4, growth=3, lowest=0.01),
        ("CosineAnnealingWarmRestarts", 4, 3, 0.01),
    ),
    "1 / t": (hessx.InverseTimeDecay(RATE), ("LambdaLR", lambda k: 1.0 / (k + 1))),
    "1 / sqrt(t)": (hessx.InverseRootDecay(RATE), ("LambdaLR", lambda k: (k + 1) ** -0.5)),
    "constant": (hessx.Constant(RATE), ("LambdaLR", lambda k: 1.0)),
}
STEPS = 60


def optimizer_of(torch, **settings):
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE, **settings)


def rates_of(scheduler, optimizer, steps, setting="lr"):
    """What torch uses in each step; its recurrences are run, as its users do."""
    rates = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        for _ in range(steps):
            rates.append(optimizer.param_groups[0][setting])
            optimizer.step()
            scheduler.step()
    return rates


def close(rates, expected):
    np.testing.assert_allclose(rates, expected, rtol=1e-12, atol=1e-12 * RATE)


def own(schedule, steps=STEPS, per_epoch=None):
    live = schedule.begin(steps, per_epoch)
    return [live.at(t) for t in range(1, steps + 1)]


@pytest.mark.parametrize("name", AS_TORCH)
def test_rates_of_torch(name):
    torch = pytest.importorskip("torch")
    schedule, (scheduler, *settings) = AS_TORCH[name]
    optimizer = optimizer_of(torch)
    made = getattr(torch.optim.lr_scheduler, scheduler)(optimizer, *settings)
    close(own(schedule), rates_of(made, optimizer, STEPS))


@pytest.mark.parametrize("shape", ["cosine", "linear"])
@pytest.mark.parametrize(("rise", "symmetric"), [(0.3, False), (0.41, True), (0.0, False)])
@pytest.mark.parametrize("steps", [10, 61])
def test_one_cycle_of_torch(shape, rise, symmetric, steps):
    torch = pytest.importorskip("torch")
    cycle = hessx.OneCycle(RATE, rise=rise, start=20.0, end=1e3, shape=shape, symmetric=symmetric)
    make = partial(
        torch.optim.lr_scheduler.OneCycleLR, max_lr=RATE, total_steps=steps, pct_start=rise,
        anneal_strategy={"cosine": "cos", "linear": "linear"}[shape], base_momentum=0.8,
        max_momentum=0.9, div_factor=20.0, final_div_factor=1e3, three_phase=symmetric,
    )  # fmt: skip
    optimizer = optimizer_of(torch, momentum=0.5)
    close(own(cycle, steps), rates_of(make(optimizer), optimizer, steps))
    optimizer = optimizer_of(torch, momentum=0.5)
    momenta = rates_of(make(optimizer), optimizer, steps, "momentum")
    close(own(cycle.momentum(0.8, 0.9), steps), momenta)


@pytest.mark.parametrize(("steps", "rise"), [(1, 0.3), (1, 1.0), (4, 0.25), (5, 1.0)])
def test_a_cycle_without_room_stays_between_its_rates(steps, rise):
    rates = own(hessx.OneCycle(RATE, rise=rise), steps)
    assert all(0.0 < rate <= RATE for rate in rates)


def test_phases_are_those_of_torch():
    torch = pytest.importorskip("torch")
    optimizer, module = optimizer_of(torch), torch.optim.lr_scheduler
    parts = [
        module.LinearLR(optimizer, 0.1, 1.0, 10),
        module.CosineAnnealingLR(optimizer, 30, 0.03),
        module.ExponentialLR(optimizer, 0.8),
    ]
    expected = rates_of(module.SequentialLR(optimizer, parts, [10, 40]), optimizer, STEPS)
    ours = hessx.Phases(
        (10, hessx.WarmUp(first=0.1)), (30, hessx.Cosine(lowest=0.1)),
        (None, hessx.ExponentialDecay(factor=0.8)), rate=RATE,
    )  # fmt: skip
    close(own(ours), expected)


def test_epochs_are_those_of_torch():
    torch = pytest.importorskip("torch")
    optimizer = optimizer_of(torch)
    expected = rates_of(torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5), optimizer, 9)
    schedule = hessx.PerEpoch(hessx.StepDecay(RATE, every=2, factor=0.5))
    close(own(schedule, steps=61, per_epoch=7), np.repeat(expected, 7)[:61])  # the last is short
    lasting = hessx.PerEpoch(hessx.Cosine(RATE, steps=9))
    cosine = own(hessx.Cosine(RATE), steps=9)
    close(own(lasting, steps=61, per_epoch=7), np.repeat(cosine, 7)[:61])


PLATEAUS = {
    "as it stands": {},
    "absolute": {"threshold": 0.3, "measure": "absolute"},
    "cooldown": {"patience": 0, "cooldown": 2, "threshold": 0.05},
    "lowest": {"patience": 1, "factor": 0.5, "lowest": 0.05},
}


@pytest.mark.parametrize("name", PLATEAUS)
@pytest.mark.parametrize("seed", range(3))
def test_plateaus_of_torch(name, seed):
    torch = pytest.importorskip("torch")
    settings = {"factor": 0.3, "patience": 3, **PLATEAUS[name]}
    named = {"lowest": "min_lr", "measure": "threshold_mode"}
    modes = {"absolute": "abs"}
    theirs = {named.get(key, key): modes.get(value, value) for key, value in settings.items()}
    optimizer = optimizer_of(torch)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **theirs)
    values = 5.0 * 0.9 ** np.arange(90) + np.random.default_rng(seed).exponential(0.5, 90)
    values[7] = math.nan
    live = hessx.Plateau(RATE, **settings).begin(STEPS)
    ours, expected = [], []
    for t, value in enumerate(values.tolist(), 1):
        ours.append(live.at(t))
        expected.append(optimizer.param_groups[0]["lr"])
        live.report(value)
        scheduler.step(value)
    close(ours, expected)
    assert ours[-1] < RATE


@pytest.mark.parametrize("best", [-2.0, 0.0])
def test_progress_below_zero_is_a_lower_value(best):
    live = hessx.Plateau(1.0, factor=0.5, patience=0, threshold=0.1).begin()
    live.report(best)
    live.report(best - 0.05 * abs(best))  # higher than torch asks for, and lower than before
    assert live.at(2) == 0.5
    live.report(best - 0.11 * abs(best) - 1e-300)
    assert live.at(3) == 0.5


def test_a_report_is_of_the_phase_that_made_the_last_step():
    plateau = hessx.Plateau(1.0, factor=0.5, patience=0)
    live = hessx.Phases((2, hessx.Constant(1.0)), (None, plateau), rate=0.1).begin(6)
    rates = []
    for t in range(1, 7):
        rates.append(live.at(t))
        live.report(1.0)
    assert rates == [0.1, 0.1, 0.1, 0.1, 0.05, 0.025]
    assert type(rates[-1]) is float


def test_a_base_rate_multiplies():
    schedule = hessx.Scaled(hessx.Phases((20, hessx.WarmUp()), (None, hessx.Cosine())), RATE)
    expected = hessx.Phases((20, hessx.WarmUp(RATE)), (None, hessx.Cosine(RATE)))
    close(own(schedule), own(expected))
    live = hessx.Scaled(hessx.Plateau(2.0, factor=0.5, patience=0), 0.25).begin()
    live.report(1.0)
    live.report(1.0)
    assert live.at(3) == 0.25


def there_and_back(value):
    writer = Writer()
    tree = json.loads(json.dumps(writer.tree(value, "value"), allow_nan=False))
    return Reader(space_of(np.ones(2)), writer.arrays, []).value(tree)


COMPOSED = {
    "plateau": hessx.Plateau(RATE, patience=1),
    "phases": hessx.Phases(
        (5, hessx.WarmUp(first=0.1)), (None, hessx.Plateau(patience=2)), (20, hessx.Cosine())
    ),
    "epochs": hessx.PerEpoch(hessx.Phases((3, 0.5), (None, hessx.Plateau(patience=1)))),
    "momentum": hessx.OneCycle(RATE).momentum(),
    "scaled": hessx.Scaled(hessx.Plateau(RATE, patience=1), 0.5),
    "in phases": hessx.Phases((30, 1.0), (None, hessx.PerEpoch(hessx.Plateau(patience=0)))),
}


@pytest.mark.parametrize("name", [*AS_TORCH, *COMPOSED])
def test_a_schedule_put_down_goes_on_as_if_not(name):
    schedule = COMPOSED[name] if name in COMPOSED else AS_TORCH[name][0]
    values = np.random.default_rng(3).uniform(1.0, 2.0, STEPS).tolist()

    def rates(interrupted):
        live = there_and_back(schedule).begin(STEPS, 6)
        for t, value in enumerate(values, 1):
            yield live.at(t)
            live = there_and_back(live) if interrupted else live
            if t % 2 == 0:
                live.report(value)

    assert [*rates(interrupted=True)] == [*rates(interrupted=False)]


def test_a_checkpoint_holds_schedules():

    live = hessx.Phases((2, 0.1), (None, hessx.Plateau())).begin()
    found = there_and_back({"rates": live, "settings": hessx.Phases((2, 0.1), (None, 1.0))})
    assert found["rates"] == live
    assert found["settings"] == hessx.Phases((2, 0.1), (None, 1.0))
    assert hash(found["settings"]) == hash(hessx.Phases((2, 0.1), (None, 1.0)))


@pytest.mark.parametrize(
    ("schedule", "length"),
    [
        (hessx.Cosine(steps=9), 9),
        (hessx.OneCycle(steps=9), 9),
        (hessx.OneCycle(steps=9).momentum(), 9),
        (hessx.PolynomialDecay(steps=9), 9),
        (hessx.Phases((4, 1.0), (5, hessx.Cosine())), 9),
        (hessx.Scaled(hessx.Cosine(steps=9), 0.1), 9),
    ],
)
def test_a_schedule_shorter_than_the_run_is_refused(schedule, length):
    assert schedule.length == length
    schedule.begin(length)
    schedule.begin(length - 1)
    schedule.begin(None)
    with pytest.raises(hessx.SettingsError, match=r"made for 9 steps, and has to last for 10"):
        schedule.begin(length + 1)
    with pytest.raises(hessx.SettingsError, match=r"made for 9 epochs, and has to last for 10"):
        hessx.PerEpoch(schedule).begin(46, 5)


@pytest.mark.parametrize(
    "schedule",
    [
        hessx.Constant(), hessx.StepDecay(), hessx.WarmUp(steps=3), hessx.WarmRestarts(),
        hessx.Cosine(), hessx.Plateau(), hessx.Phases((4, 1.0), (None, 2.0)),
        hessx.PerEpoch(hessx.Cosine(steps=3)),
    ],
)  # fmt: skip
def test_a_schedule_for_any_run_has_no_length(schedule):
    assert schedule.length is None


@pytest.mark.parametrize(
    ("schedule", "run", "message"),
    [
        (hessx.Cosine(), (None,), r"Cosine\(steps=\.\.\.\)"),
        (hessx.WarmUp(), (None,), "no duration"),
        (hessx.OneCycle().momentum(), (None,), "no duration"),
        (hessx.PerEpoch(hessx.Cosine()), (10,), "without epochs"),
        (hessx.Phases((4, 1.0), (None, 2.0)), (4,), "no steps to phase 2 of 2.*run of 4 steps"),
        (hessx.Phases((None, 1.0), (4, 2.0)), (None,), "phase 1 of 2.*without a given end"),
        (hessx.Phases((9, hessx.Cosine(steps=4)), (None, 2.0)), (90,), "made for 4 steps.*for 9"),
    ],
)
def test_a_run_that_a_schedule_does_not_fit(schedule, run, message):
    with pytest.raises(hessx.SettingsError, match=message):
        schedule.begin(*run)


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (hessx.Constant, {"rate": 0.0}),
        (hessx.Constant, {"rate": math.nan}),
        (hessx.StepDecay, {"every": 0}),
        (hessx.StepDecay, {"factor": 1.5}),
        (hessx.MultiStepDecay, {"milestones": [0]}),
        (hessx.MultiStepDecay, {"milestones": 3}),
        (hessx.ExponentialDecay, {"factor": 0.0}),
        (hessx.PolynomialDecay, {"power": 0.0}),
        (hessx.PolynomialDecay, {"lowest": 2.0}),
        (hessx.InverseTimeDecay, {"decay": -1.0}),
        (hessx.InverseRootDecay, {"decay": math.inf}),
        (hessx.WarmUp, {"first": 1.1}),
        (hessx.WarmUp, {"shape": "cosine"}),
        (hessx.Cosine, {"steps": 0}),
        (hessx.Cosine, {"lowest": -0.1}),
        (hessx.WarmRestarts, {"period": 0}),
        (hessx.WarmRestarts, {"growth": 1.5}),
        (hessx.OneCycle, {"rise": 1.1}),
        (hessx.OneCycle, {"rise": 0.6, "symmetric": True}),
        (hessx.OneCycle, {"symmetric": "no"}),
        (hessx.OneCycle, {"start": 0.0}),
        (hessx.OneCycle().momentum, {"high": 1.0}),
        (hessx.OneCycle().momentum, {"low": 0.96}),
        (hessx.Plateau, {"factor": 1.0}),
        (hessx.Plateau, {"patience": -1}),
        (hessx.Plateau, {"measure": "rel"}),
        (hessx.Plateau, {"threshold": -1e-4}),
        (hessx.Phases, {"rate": -1.0}),
        (hessx.PerEpoch, {"schedule": 0.1}),
        (hessx.Scaled, {"schedule": 0.1, "rate": 1.0}),
        (hessx.Scaled, {"rate": 0.0, "schedule": hessx.Cosine()}),
        (hessx.PerEpoch, {"schedule": hessx.Cosine}),
    ],
)
def test_settings_out_of_range(make, settings):
    with pytest.raises(hessx.SettingsError, match=next(iter(settings))):
        make(**settings) if make is not hessx.Phases else make((1, 1.0), **settings)


@pytest.mark.parametrize(
    "phases",
    [(), ((None, 1.0), (None, 2.0)), (hessx.WarmUp(),), ((0, 1.0),), ((3, 0.0),), ((3, "warm"),)],
)
def test_phases_that_are_none(phases):
    with pytest.raises(hessx.SettingsError):
        hessx.Phases(*phases)


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf, "fast", None, True, hessx.Cosine])
def test_what_is_no_rate(rate):
    with pytest.raises(hessx.SettingsError, match="rate"):
        as_schedule(rate)


@pytest.mark.parametrize("rate", [np.float64(0.1), np.float32(0.1), np.array(0.1), 1])
def test_numbers_of_numpy_become_floats(rate):
    made = as_schedule(rate).begin(3)
    assert type(made.at(2)) is float
    assert made.at(2) == float(rate)
    schedule = hessx.OneCycle(rate, steps=np.int64(9), rise=np.float64(0.3), symmetric=np.False_)
    assert all(type(schedule.at(t)) is float for t in range(1, 10))
    assert type(schedule.steps) is int


def test_numbers_out_of_range_are_no_exceptions():
    assert hessx.ExponentialDecay(1.0, 10.0).at(1000) == math.inf
    assert hessx.ExponentialDecay(1.0, 0.1).at(1000) == 0.0
    assert hessx.WarmRestarts(1.0, period=3, growth=10**6).at(10**12) > 0.0


@pytest.mark.parametrize(
    ("schedule", "length"),
    [
        (hessx.Constant(), None),
        (hessx.WarmUp(), None),
        (hessx.Plateau(), None),
        (hessx.Cosine(), 60),
        (hessx.Cosine(steps=90), 90),
        (hessx.Phases((10, 1.0), (None, 0.5)), None),
        (hessx.Phases((10, 1.0), (None, hessx.Cosine())), 60),
        (hessx.Phases((10, 1.0), (None, hessx.Cosine(steps=80))), 90),
        (hessx.Phases((10, 1.0), (None, 0.5), (5, 0.1)), 60),
        (hessx.Phases((10, 1.0), (80, 0.5)), 90),
        (hessx.Scaled(hessx.Cosine(steps=90), 0.1), 90),
        (hessx.PerEpoch(hessx.Cosine()), 60),
        (hessx.PerEpoch(hessx.Cosine(steps=11)), 66),
        (hessx.PerEpoch(hessx.Constant()), None),
    ],
)
def test_what_is_at_work_knows_how_far_it_goes(schedule, length):
    live = schedule.begin(STEPS, 6)
    assert live.length == length
    assert there_and_back(live).length == length
