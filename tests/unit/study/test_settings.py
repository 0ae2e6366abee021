"""Settings in TOML, and the runs that are planned from them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hessx.study.features import FEATURES
from hessx.study.methods import METHODS
from hessx.study.plan import in_order, planned
from hessx.study.posed import Known
from hessx.study.problems import PROBLEMS
from hessx.study.records import RAISED, Job, Row
from hessx.study.settings import BUNDLED, Part, Settings, bundled_settings, read_settings
from hessx.study.tuning import Found, Search


def settings(tmp_path, text):
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def jobs_of(**lists):
    return [*planned(Settings((Part(**{"backends": ("numpy",)} | lists),))).jobs({})]


def test_what_stands_outside_of_the_parts_is_shared_by_them(tmp_path):
    found = settings(
        tmp_path,
        """
        workers = 1
        memory_limit = 512
        seconds = 2
        methods = ["lbfgs"]
        [[part]]
        problems = ["digits"]
        features = ["plain", "noise"]
        [[part]]
        methods = ["sgd"]
        seeds = [1, 2]
        [part.tuning]
        budget = 30
        trials = 5
        """,
    )
    assert (found.workers, found.memory_limit) == (1, 512.0)
    one, other = found.parts
    assert one == Part(("digits",), ("lbfgs",), features=("plain", "noise"), seconds=2.0)
    assert (other.problems, other.methods, other.seeds) == (("tag:quick",), ("sgd",), (1, 2))
    assert (other.tuning.budget, other.tuning.trials, other.seconds) == (30, 5, 2.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("problem = ['digits']", "unknown key 'problem': expected one of problems, methods"),
        ("[[part]]\nmethod = ['gd']", "unknown key 'method': expected one of problems, methods"),
        ("[tuning]\nrate = 1", "unknown key 'rate': expected one of budget, trials, width"),
        ("workers = 0", "workers 0: expected at least 1"),
        ("seconds = 'long'", "seconds 'long': expected a number"),
        ("seconds = -1", "seconds -1.0: expected more than 0"),
        ("gtol = true", "gtol True: expected a number"),
        ("rates = [0.0]", "rates 0.0: expected more than 0, and finite"),
        ("seconds = inf", "seconds inf: expected more than 0, and finite"),
        ("seeds = [0.5]", "seeds 0.5: expected an integer"),
        ("methods = 'gd'", "methods 'gd': expected a list"),
        ("methods = []", "expected a list"),
        ("dtype = 'float16'", "dtype 'float16': expected float64 or float32"),
        ("backends = ['cuda']", "backends 'cuda': expected one of numpy, torch"),
        ("features = ['loud']", "features 'loud': expected one of plain, start"),
        ("[tuning]\nbudget = 2", "budget 2: expected 0 or trials"),
        ("part = 3", r"part 3: expected tables \[\[part\]\]"),
        ("[[hessians]]\napproximations = ['x']", "unknown approximation 'x': expected one of gd"),
        ("workers = 'two'", "workers 'two': expected an integer"),
        ("problems = [", "Invalid value"),
    ],
)
def test_a_mistake_is_named_with_what_is_known(tmp_path, text, message):
    with pytest.raises(ValueError, match=rf"study\.toml: .*{message}"):
        settings(tmp_path, text)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ({"problems": ("nonsense",)}, "unknown problem 'nonsense': expected one of .*digits"),
        ({"problems": ("tag:nonsense",)}, "unknown tag 'nonsense': expected one of .*convex"),
        ({"methods": ("nonsense",)}, "unknown method 'nonsense': expected one of .*lbfgs"),
        ({"methods": ("family:nonsense",)}, "unknown family 'nonsense': expected one of "),
    ],
)
def test_what_is_no_name_is_told_with_those_that_are(lists, message):
    with pytest.raises(ValueError, match=message):
        jobs_of(**lists)


def test_problems_by_tag_and_methods_by_family():
    family = METHODS["lbfgs"].family
    chosen = jobs_of(problems=("tag:convex",), methods=(f"family:{family}",))
    assert {job.problem for job in chosen} == {
        name for name, problem in PROBLEMS.items() if "convex" in problem.tags
    }
    assert "lbfgs" in {job.method for job in chosen}
    assert {METHODS[job.method].family for job in chosen} == {family}


def test_all_features_and_seeds_and_each_run_once():
    names = ("linear-regression", "digits")
    some = Part(names, ("lbfgs", "gd"), ("numpy",), features=("plain", "noise"), seeds=(0, 1))
    plan = planned(Settings((some, replace(some, features=("noise", "scaled")))))
    assert len(plan.jobs({})) == len(plan.tasks) == 2 * 2 * 3 * 2
    assert {(job.feature, job.seed) for job in plan.jobs({})} == {
        (feature, seed) for feature in ("plain", "noise", "scaled") for seed in (0, 1)
    }


def test_what_takes_its_time_is_run_on_large_problems_only_if_named():
    chosen = jobs_of()
    assert {job.method for job in chosen} == set(METHODS)
    large = {job.method for job in chosen if PROBLEMS[job.problem].n > 300}
    assert {"lbfgs", "lsr1", "trust-ncg", "spectral", "scipy-cg"} <= large
    assert not large & {"bfgs", "dfp", "newton", "dogleg", "scipy-dogleg", "scipy-bfgs"}
    for job in chosen:
        problem, method = PROBLEMS[job.problem], METHODS[job.method]
        assert method.needs in (None, *problem.known)
        if problem.is_sum and method.needs is None:
            assert method.usual_on_sums
    named = jobs_of(problems=("extended-rosenbrock",), methods=("newton", "bfgs"))
    assert [job.method for job in named] == ["newton", "bfgs"]


def test_samples_are_drawn_of_problems_as_they_are():
    chosen = jobs_of(features=tuple(FEATURES), problems=("digits-linear",))
    changed = {METHODS[job.method].needs for job in chosen if job.feature != "plain"}
    assert Known.ROWS not in changed
    assert changed


def test_rates_are_multiples_of_each_methods_own():
    own = METHODS["sgd"].rate
    chosen = jobs_of(problems=("digits-linear",), methods=("sgd", "lbfgs"), rates=(0.1, 1.0, 10.0))
    rates = [job.rate for job in chosen if job.method == "sgd"]
    assert rates == [0.1 * own, None, 10.0 * own]
    assert [job.rate for job in chosen if job.method == "lbfgs"] == [None]


def test_a_rate_that_is_to_be_found_is_searched_for_first(tmp_path):
    text = "problems = ['digits-linear']\nmethods = ['sgd', 'lbfgs']\nbackends = ['numpy']\n"
    plan = planned(settings(tmp_path, f"{text}[tuning]\nbudget = 24"))
    (search,) = plan.searches
    assert search == Search(Job("digits-linear", "sgd"), 24)
    assert [job.method for job in plan.jobs({})] == ["lbfgs"]
    jobs = plan.jobs({search.key: Found(search, rate=0.5, evaluations=23)})
    assert jobs == {Job("digits-linear", "sgd", rate=0.5): 23, Job("digits-linear", "lbfgs"): 0}
    lost = plan.jobs({search.key: Found(search, message="hung", evaluations=3)})
    assert lost[Job("digits-linear", "sgd")] == 3, "at its own rate"


@pytest.mark.parametrize("name", BUNDLED)
def test_what_is_bundled_can_be_planned(name):
    plan = planned(bundled_settings(name))
    problems = {task.problem if isinstance(task, Job) else task.job.problem for task in plan.tasks}
    assert "linear-regression" in problems
    assert bool(plan.searches) == (name == "full")


def test_the_order_of_rows_is_that_of_the_registries():
    jobs = [
        Job(problem, method, seed=seed, rate=rate)
        for problem in ("linear-regression", "digits", "zzz")
        for seed in (0, 1)
        for method in ("gd", "lbfgs", "a:b")
        for rate in (None, 0.1)
    ]
    rows = [Row.of(job, 2, RAISED) for job in jobs]
    assert [row.job for row in in_order(rows[::-1])] == jobs
