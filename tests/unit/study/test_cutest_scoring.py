"""Counting, budgets, scores: against counts made by hand and SciPy's own."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import optimize

from hessx.study.cutest import CutestProblem
from hessx.study.cutest.runner import Run, perturbed, run
from hessx.study.cutest.scoring import (
    Entry,
    best_values,
    differences,
    judge,
    read_list,
    total,
)
from hessx.study.metering import Budget, BudgetSpentError, Meter
from hessx.study.methods import find_method

LBFGS = find_method("scipy:L-BFGS-B")


def quadratic(diagonal, x0, lower=-math.inf, upper=math.inf):
    d = np.asarray(diagonal, dtype=float)
    return CutestProblem(
        name="QUADRATIC",
        n=len(d),
        x0=np.asarray(x0, dtype=float),
        lower=np.full(len(d), lower),
        upper=np.full(len(d), upper),
        fun_and_grad=lambda x: (0.5 * float(x @ (d * x)), d * x),
        hessp=lambda x, p: d * p,
    )


def rosenbrock(x0=(-1.2, 1.0), lower=-math.inf):
    return CutestProblem(
        name="ROSENBROCK",
        n=len(x0),
        x0=np.array(x0),
        lower=np.full(len(x0), lower),
        upper=np.full(len(x0), math.inf),
        fun_and_grad=lambda x: (float(optimize.rosen(x)), optimize.rosen_der(x)),
        hessp=optimize.rosen_hess_prod,
    )


def metered(problem, budget=None):
    return Meter(problem.posed(), budget)


def a_run(**changes):
    plain = {
        "cost": 40, "fun_calls": 20, "grad_calls": 20, "products": 0,
        "improvements": [(1, 100.0), (9, 1.0), (21, 0.05), (31, 5e-4), (33, 5e-5)],
        "fun0": 100.0, "grad_norm0": 50.0, "fun": 5e-5, "grad_norm": 4e-4,
        "success": True, "message": "", "seconds": 0.5,
    }  # fmt: skip
    return Run(**(plain | changes))


class TestMeter:
    def test_value_and_gradient_are_one_call_each_and_products_their_own(self):
        meter = metered(quadratic([1, 3], [1, 1]))
        x = np.array([2.0, 1.0])
        assert meter.fun(x) == 3.5
        np.testing.assert_array_equal(meter.grad(x), [2, 3])
        np.testing.assert_array_equal(meter.hessp(x, np.ones(2)), [1, 3])
        assert (meter.fun_calls, meter.grad_calls, meter.products, meter.cost) == (1, 1, 1, 3)

    def test_dense_hessian_is_n_products(self):
        meter = metered(quadratic([1, 3, 7], [1, 1, 1]))
        np.testing.assert_array_equal(meter.dense(np.zeros(3)), np.diag([1, 3, 7]))
        assert meter.products == 3

    def test_best_value_is_noted_with_the_cost_of_its_own_call(self):
        meter = metered(quadratic([2], [3]))
        for x in (3.0, 1.0, 2.0, 0.5):
            meter.fun(np.array([x]))
            meter.grad(np.array([x]))
        assert meter.improvements == [(1, 9.0), (3, 1.0), (7, 0.25)]
        assert meter.best_x == 0.5

    def test_point_outside_the_bounds_counts_and_is_never_the_best(self):
        meter = metered(quadratic([2], [3], lower=1.0))
        meter.fun(np.array([2.0]))
        meter.fun(np.array([0.0]))
        assert (meter.fun_calls, meter.best_fun) == (2, 4.0)

    def test_nonfinite_value_is_never_the_best(self):
        meter = metered(quadratic([2], [3]))
        with np.errstate(all="ignore"):
            for x in (np.nan, 1e300, 1.0):
                meter.fun(np.array([x]))
        assert meter.improvements == [(3, 1.0)]

    def test_solver_may_overwrite_its_point(self):
        meter = metered(quadratic([2], [3]))
        x = np.array([3.0])
        meter.fun(x)
        x[:] = 5.0
        np.testing.assert_array_equal(meter.grad(x), [10.0])
        assert meter.best_x == 3.0

    @pytest.mark.parametrize(("calls", "products"), [(3, 10), (10, 2)])
    def test_budget_ends_it_before_the_first_call_too_many(self, calls, products):
        meter = metered(quadratic([2], [3]), Budget(calls, products))
        x = np.array([1.0])
        with pytest.raises(BudgetSpentError):
            for _ in range(10):
                meter.fun(x)
                meter.hessp(x, x)
        assert meter.fun_calls == min(calls, products + 1)
        assert meter.products == min(calls, products)


class TestRun:
    @pytest.mark.parametrize("name", ["L-BFGS-B", "BFGS", "CG", "trust-krylov"])
    def test_spends_what_scipy_spends_by_itself(self, name):
        calls = {"fun": 0, "jac": 0, "hessp": 0}

        def counted(kind, function):
            def call(*arguments):
                calls[kind] += 1
                return function(*arguments)

            return call

        arguments = {"jac": counted("jac", optimize.rosen_der)}
        if name == "trust-krylov":
            arguments["hessp"] = counted("hessp", optimize.rosen_hess_prod)
        options = {"gtol": 1e-6, "maxiter": 10**6} | ({"ftol": 0} if name == "L-BFGS-B" else {})
        truth = optimize.minimize(
            counted("fun", optimize.rosen), [-1.2, 1.0], method=name, options=options,
            **arguments,
        )  # fmt: skip
        found = run(find_method(f"scipy:{name}"), rosenbrock())
        assert [found.fun_calls, found.grad_calls, found.products] == list(calls.values())
        assert found.cost == sum(calls.values())
        assert found.success
        assert found.fun == truth.fun

    def test_own_method_solves_within_the_budget(self):
        found = run(find_method("lbfgs"), rosenbrock())
        assert found.success
        assert found.fun < 1e-10
        assert found.grad_norm <= 1e-6

    def test_spent_budget_returns_the_best_point_and_no_success(self):
        found = run(LBFGS, rosenbrock(), budget=Budget(calls=21))
        assert found.cost == 21
        assert not found.success
        assert found.fun == found.improvements[-1][1] < found.fun0

    def test_bounds_are_handed_over_and_the_gradient_projected(self):
        # The minimum over x1, x2 >= 1.5 is on the bound of x1, at (1.5, 2.25): the slope there,
        # 2 (x1 - 1) = 1, points out of the feasible set.
        found = run(LBFGS, rosenbrock(x0=(3.0, 3.0), lower=1.5))
        assert found.success
        assert found.fun == pytest.approx(0.25)
        assert found.grad_norm <= 1e-6

    def test_options_reach_the_solver(self):
        found = run(LBFGS, rosenbrock(), options={"maxiter": 2})
        assert not found.success
        assert found.fun > 1.0

    @pytest.mark.parametrize("name", ["composition", "newton", "newton_like"])
    def test_method_may_be_imported(self, name, planted):
        found = run(find_method(f"planted_methods:{name}"), rosenbrock())
        assert found.success
        assert found.fun < 1e-10
        assert (found.products > 0) == (name == "newton")

    def test_function_that_cannot_be_given_the_bounds_is_refused(self, planted):
        with pytest.raises(ValueError, match=r"newton_like.* bounds"):
            run(find_method("planted_methods:newton_like"), rosenbrock(lower=1.5))

    def test_dense_scipy_methods_are_not_run_on_large_problems(self):
        large = quadratic(np.ones(301), np.ones(301))
        assert run(find_method("scipy:BFGS"), large) is None
        assert run(LBFGS, large).success


class TestPerturbed:
    def test_moves_every_start_by_the_relative_size_and_within_bounds(self):
        problem = quadratic(np.ones(4), [10.0, -1.0, 0.0, 5.0], upper=10.0)
        moved = perturbed(problem, 1e-3, seed=3).x0
        change = np.abs(moved - problem.x0) / np.array([10.0, 1.0, 1.0, 5.0])
        assert (change <= 1e-3).all()
        assert (change[1:] > 0).all()
        assert moved[0] <= 10.0

    def test_depends_on_the_seed_alone(self):
        problem = quadratic(np.ones(2), [1.0, 2.0])
        first, again, other = (perturbed(problem, 1e-3, seed).x0 for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert (first != other).all()
        np.testing.assert_array_equal(perturbed(problem, 0.0, 0).x0, problem.x0)


class TestScores:
    # From f0 = 100 down to f_best = 0: tau 1e-3 is f <= 0.1, tau 1e-6 is f <= 1e-4.
    entry = Entry("P", (), 0.0, True)

    def test_costs_are_those_of_the_first_value_low_enough(self):
        outcome = judge(self.entry, LBFGS, a_run(), 0.0)
        assert (outcome.cost_3, outcome.cost_6) == (21, 33)
        assert not outcome.near_best
        assert outcome.stationary
        assert outcome.solved

    def test_distance_is_measured_from_the_best_value(self):
        # f - 1 <= tau * 99: reached with f = 1 already.
        outcome = judge(self.entry, LBFGS, a_run(), 1.0)
        assert (outcome.cost_3, outcome.cost_6) == (9, 9)
        assert outcome.near_best

    @pytest.mark.parametrize(("grad_norm", "stationary"), [(5e-4, True), (5.1e-4, False)])
    def test_gradient_is_measured_against_the_start(self, grad_norm, stationary):
        outcome = judge(self.entry, LBFGS, a_run(grad_norm=grad_norm), 0.0)
        assert outcome.stationary is stationary

    @pytest.mark.parametrize("success", [True, False])
    def test_false_success_is_a_claim_of_an_unsolved_problem(self, success):
        lost = a_run(improvements=[(1, 100.0), (7, 50.0)], grad_norm=10.0, success=success)
        outcome = judge(self.entry, LBFGS, lost, 0.0)
        assert not outcome.solved
        assert outcome.false_success is success

    def test_run_that_saw_no_finite_value_is_unsolved(self):
        outcome = judge(self.entry, LBFGS, a_run(improvements=[], grad_norm=math.nan), 0.0)
        assert not outcome.solved
        assert outcome.cost_3 is None

    def test_lower_value_of_any_run_becomes_the_best(self):
        known = Entry("P", (), 1.0, True)
        low, high = a_run(), a_run(improvements=[(1, 100.0)])
        assert best_values([(known, LBFGS, high)]) == {"P": 1.0}
        assert best_values([(known, LBFGS, low), (known, LBFGS, high)]) == {"P": 5e-5}

    def test_total_counts_and_takes_the_geometric_mean_of_the_marked_problems(self):
        lost = a_run(improvements=[(1, 100.0)], grad_norm=10.0)
        cheap = a_run(improvements=[(2, 0.0)], grad_norm=10.0)
        outcomes = [
            judge(Entry("A", (), 0.0, True), LBFGS, cheap, 0.0),
            judge(Entry("B", (), 0.0, True), LBFGS, lost, 0.0),
            judge(Entry("C", (), 0.0, False), LBFGS, a_run(), 0.0),
            judge(Entry("D", (), 0.0, True), find_method("lbfgs"), cheap, 0.0),
        ]
        sums = total(outcomes, LBFGS.name)
        assert (sums.problems, sums.tau_3, sums.tau_6, sums.near_best) == (3, 2, 2, 1)
        assert sums.stationary == 1
        assert sums.false_success == ("B",)
        # sqrt(2 * 25000)
        assert sums.mean_cost == pytest.approx(223.60679774997897)

    def test_problem_that_a_method_was_not_run_on_is_unsolved(self):
        outcome = judge(self.entry, LBFGS, None, 0.0)
        assert not outcome.solved
        assert total([outcome], LBFGS.name).mean_cost == pytest.approx(25000)

    def test_differences_put_the_largest_ratio_first(self):
        def rows(**costs):
            return [{"problem": name, "cost_1e-6": cost} for name, cost in costs.items()]

        now = rows(A=10, B=30, C=7, D=None, E=5)
        saved = rows(A=20, B=10, C=7, D=5000)
        assert differences(now, saved, 25000) == [("D", 25000, 5000), ("B", 30, 10), ("A", 10, 20)]


def test_list_is_read_and_an_unknown_group_named(tmp_path):
    path = tmp_path / "list.json"
    problem = {"name": "ARWHEAD", "args": [30], "f_best": 0.0, "in_gm": True}
    path.write_text(json.dumps({"note": "text", "unconstrained": [problem]}))
    assert read_list(path, "unconstrained") == [Entry("ARWHEAD", (30,), 0.0, True)]
    with pytest.raises(ValueError, match=r"no group 'bound'.*\['unconstrained'\]"):
        read_list(path, "bound")
