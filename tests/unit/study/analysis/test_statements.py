"""What is said of rows: every number from them, every row named, nothing from their order."""

from __future__ import annotations

import random
import re
from dataclasses import replace

import pytest

from _helpers.study_rows import a_row, a_study
from hessx.comparison import HessianRow
from hessx.study.analysis.accounts import accounts
from hessx.study.analysis.choice import recommendations
from hessx.study.analysis.costs import trials
from hessx.study.analysis.failures import failures
from hessx.study.analysis.hessians import about_hessians, hessian_key
from hessx.study.analysis.overview import overview
from hessx.study.analysis.peers import beside_peers
from hessx.study.records import CRASHED, HOARDED, HUNG, LEFT_OUT, RAISED
from hessx.study.rows import RowFile, read_rows

KNOWN = {"P": 0.0, "Q": 0.0}


@pytest.fixture(scope="module")
def study():
    return a_study()


def statements_of(rows):
    found = {f"overview, {q}": s for q, s in overview(rows).items()}
    for account in accounts(rows):
        found[f"{account.method}, costs"] = list(account.costs)
        found[f"{account.method}, advantages"] = list(account.advantages)
        found[f"{account.method}, limits"] = list(account.limits)
    return found


def texts(statements):
    return " ".join(statement.text for statement in statements)


class TestTraceable:
    def test_statements_come_again_from_the_file_of_rows_alone(self, study, tmp_path):
        file = RowFile(tmp_path / "rows.csv")
        file.append(study)
        assert statements_of(read_rows(file.path)) == statements_of(study)

    def test_statements_do_not_hang_on_the_order_of_rows(self, study):
        shuffled = random.Random(7).sample(study, len(study))
        assert statements_of(shuffled) == statements_of(study)

    def test_every_statement_names_rows_and_has_its_numbers(self, study):
        keys = {row.job.key for row in study}
        for where, statements in statements_of(study).items():
            for statement in statements:
                assert statement.keys, (where, statement.text)
                assert set(statement.keys) <= keys
                for x in statement.numbers.values():
                    shown = [
                        float(word) for word in re.findall(r"-?\d[\d.e+-]*\d|\d", statement.text)
                    ]
                    assert x in shown, (where, statement)

    def test_a_doctored_row_changes_what_is_said(self, study):
        plain = statements_of(study)
        rows = list(study)
        at = next(i for i, r in enumerate(rows) if (r.problem, r.method) == ("brown-dennis", "gd"))
        curve = replace(rows[at].curve, evaluation=[3 * e for e in rows[at].curve.evaluation])
        rows[at] = replace(rows[at], curve=curve)
        changed = {where for where, found in statements_of(rows).items() if found != plain[where]}
        assert {"gd, costs", "bfgs, advantages", "overview, Why approximate"} <= changed
        assert "adam, costs" not in changed


class TestAccounts:
    def test_costs_beside_the_cheapest_and_beside_others(self):
        rows = [
            a_row("P", "gd", [1.0, 0.0], evaluations=[1, 90]),
            a_row("P", "lbfgs", [1.0, 0.0], evaluations=[1, 30]),
            a_row("P", "newton", [1.0, 0.0], evaluations=[1, 4], products=[0, 8]),
            a_row("Q", "gd", [1.0, 0.0], evaluations=[1, 80]),
            a_row("Q", "lbfgs", [1.0, 0.0], evaluations=[1, 20]),
        ]
        found = {account.method: account for account in accounts(rows)}
        # lbfgs costs 30 / 12 and 20 / 20: the geometric mean is 1.58; gd 3 and 4 times as much
        assert "It needs 1.58 times the evaluations and products of each" in texts(
            found["lbfgs"].costs
        )
        assert "It needs 3.46 times fewer evaluations and products than gd to 1e-6, on 2 " in texts(
            found["lbfgs"].advantages
        )
        assert (
            "It needs 2.5 times the evaluations and products of newton to 1e-6, on 1 problem "
            in texts(found["lbfgs"].limits)
        )
        assert "A step takes 4 evaluations, 8 products and 8 fetches" in texts(
            found["newton"].costs
        )
        assert "No method solves P to 1e-6 at less cost." in texts(found["newton"].advantages)
        assert "run on 1 of 2 instances; the largest has 2 variables" in texts(
            found["newton"].limits
        )

    def test_what_was_not_solved_is_named_with_its_reason(self):
        rows = [
            a_row("P", "gd", [1.0, 0.5], outcome="limit: time"),
            a_row("Q", "gd", [1.0, 0.5], grad_norm=0.0),
            a_row("P", "lbfgs", [1.0, 0.0]),
            a_row("Q", "lbfgs", [1.0, 0.0]),
        ]
        found = {account.method: account for account in accounts(rows)}
        assert "It did not solve P (limit: time) and Q (stationary elsewhere)." in texts(
            found["gd"].limits
        )
        assert "It solved every problem that it was run on, 2 runs in all." in texts(
            found["lbfgs"].advantages
        )

    def test_who_ran_alone_is_not_called_the_cheapest_nor_one_run_a_median(self):
        rows = [a_row("P", "gd", [2.0**-k for k in range(40)])]
        (alone,) = accounts(rows)
        assert "less cost" not in texts(alone.advantages)
        assert "the fitted order is 1 in 1 run." in texts(alone.limits)
        (twice,) = accounts([*rows, a_row("Q", "gd", [2.0**-k for k in range(40)])])
        assert "is 1 in the median of 2 runs, from 1 to 1." in texts(twice.limits)

    def test_orders_oscillation_and_memory(self, study):
        found = {account.method: account for account in accounts(study)}
        assert "It converges superlinearly: the fitted order is 2 in" in texts(
            found["newton"].advantages
        )
        assert "It converges linearly, or little better: the fitted order is 1 in" in texts(
            found["gd"].limits
        )
        turning = texts(found["bb"].limits)
        assert "100 % of them turn" in turning
        assert "is -0.9 in the mean" in turning
        tuned = replace(study[0], memory=3.0 * 2**20, rate=0.1, tuning=50)
        (account,) = accounts([tuned])
        assert "Memory rose by 3 MiB at most, on linear-regression with 2 variables." in texts(
            account.costs
        )
        assert "sought beforehand with 50 evaluations" in texts(account.costs)


class TestFailures:
    def test_each_has_its_kind_and_reason(self, study):
        rows = [
            a_row("P", "ok", [1.0, 0.0]),
            a_row("P", "claims", [1.0, 0.5], outcome="converged: value", message="it says"),
            a_row("P", "slow", [1.0, 0.5], outcome="limit: time", message="3 s, limit 3 s"),
            a_row("P", "lost", [1.0, 0.5, float("nan")], outcome="ended"),
            a_row("P", "raises", [], outcome=RAISED, exception="ValueError: no"),
            a_row("P", "hangs", [], outcome=HUNG),
            a_row("P", "hoards", [], outcome=HOARDED),
            a_row("P", "crashes", [], outcome=CRASHED, message="signal 11"),
            a_row("P", "absent", [], outcome=LEFT_OUT, message="optax is not installed"),
            a_row("P", "flat", [1.0, 1e-8], outcome="stalled", message="flat"),
            a_row("P", "epochs", [1.0, 0.5], outcome="completed"),
        ]
        found = {f.method: (f.kind, f.reason, f.near_best) for f in failures(rows)}
        assert found == {
            "claims": ("false success", "it says", False),
            "slow": ("limit", "3 s, limit 3 s", False),
            "lost": ("not finite", "ended", False),
            "raises": ("exception", "ValueError: no", False),
            "hangs": ("hang", HUNG, False),
            "hoards": ("memory", HOARDED, False),
            "crashes": ("crash", "signal 11", False),
            "absent": ("left out", "optax is not installed", False),
            "flat": ("no success", "flat", True),
        }


class TestPeers:
    def test_the_best_of_each_is_compared(self):
        rows = [
            a_row("P", "lbfgs", [1.0, 0.0], evaluations=[1, 30]),
            a_row("P", "gd", [1.0, 0.0], evaluations=[1, 20]),
            a_row("P", "scipy-bfgs", [1.0, 0.0], evaluations=[1, 25]),
            a_row("P", "scipy-cg", [1.0, 0.0], evaluations=[1, 21]),
            a_row("Q", "gd", [1.0, 0.0], evaluations=[1, 9]),
            a_row("Q", "scipy:COBYLA", [1.0, 0.0], evaluations=[1, 8]),
            a_row("R", "gd", [1.0, 0.5]),
            a_row("R", "scipy-cg", [1.0, 0.5]),
            a_row("S", "scipy-cg", [1.0, 0.0]),
            a_row("T", "newton", [1.0, 0.0], evaluations=[1, 5], products=[0, 90]),
            a_row("T", "scipy-bfgs", [1.0, 0.0], evaluations=[1, 25]),
        ]
        found = beside_peers(trials(rows, dict.fromkeys("PQRST", 0.0)))
        assert [
            (v.instance.problem, v.method, v.cost, v.peer, v.peer_method, v.peer_cost, v.behind)
            for v in found
        ] == [
            ("P", "gd", 20, "SciPy", "scipy-cg", 21, False),
            ("Q", "gd", 9, "SciPy", "scipy:COBYLA", 8, True),
            ("T", "newton", 5, "SciPy", "scipy-bfgs", 25, False),
        ]  # fmt: skip
        said = texts(overview([r for r in rows if r.problem != "R"])["Beside other packages"])
        assert (
            "at most as many evaluations as the best of SciPy on 2 of 3 instances, and evaluations "
            "and products on 1; SciPy solved 3" in said
        )
        assert "On Q scipy:COBYLA needs 8 evaluations, and gd 9." in said


class TestChoice:
    def test_situations_rank_the_methods_run_there(self, study):
        found = {r.situation: r for r in recommendations(study)}
        assert found["On all problems"].ranked[0].method == "lbfgs"  # solves all five
        assert found["With n <= 10"].problems == ("linear-regression", "brown-dennis")
        assert [s.method for s in found["With 100 < n <= 1000"].ranked] == ["lbfgs", "newton-cg"]
        bare = [s.method for s in found["With value and gradient alone"].ranked]
        assert bare == ["lbfgs", "bfgs", "gd"]  # Newton's methods take products, SciPy is a peer
        rough = found["Knowing rows to sample, roughly"]
        assert rough.problems == ("digits-linear",)
        assert rough.tau == 0.1

    def test_of_a_problem_the_most_particular_come_first(self, study):
        found = recommendations(study, "extended-rosenbrock")
        assert all("extended-rosenbrock" in r.problems for r in found)
        assert [len(r.problems) for r in found] == sorted(len(r.problems) for r in found)
        assert (
            "(5 problems): lbfgs, which solved 5 of 5 runs to 1e-6 at" in found[-1].statement.text
        )

    def test_a_problem_without_rows_is_refused_with_those_known(self, study):
        with pytest.raises(ValueError, match=r"'wood': expected one of linear-regression, brown"):
            recommendations(study, "wood")


class TestHessians:
    def rows(self):
        def at(point, name, error, ratio, condition=float("nan"), **more):
            return HessianRow(
                name, name, point, 2, problem="bowl", error=error, dennis_more=ratio,
                hessian_condition=100.0, preconditioned_condition=condition, **more,
            )  # fmt: skip

        return [
            at(0, "gd", 0.5, 2.0), at(1, "gd", 0.6, 1.5, 100.0),
            at(0, "bfgs", 0.5, 2.0), at(2, "bfgs", 0.01, 0.002, 4.0),
            at(2, "bfgs", 9.0, 9.0, block="between"),
            at(0, "kfac", 0.8, float("nan"), link=2), at(0, "gauss-newton", 0.7, 0.1, link=1),
        ]  # fmt: skip

    def test_errors_ratios_conditions_and_chains_are_told_with_their_rows(self):
        rows = self.rows()
        said = about_hessians(rows)
        assert [statement.text for statement in said] == [
            (
                "On bowl the error norm(B - H) / norm(H) along the chain is 0.7 of gauss-newton "
                "and 0.8 of kfac."
            ),
            (
                "On bowl the error norm(B - H) / norm(H) at the end of the run is 0.01 of bfgs and "
                "0.6 of gd."
            ),
            (
                "On bowl the Dennis-More ratio norm((B - H) s) / norm(s) goes, along each run, of "
                "bfgs from 2 to 0.002 and gd from 2 to 1.5."
            ),
            "On bowl the condition number of B^-1 H, over that of H, is 0.04 of bfgs and 1 of gd.",
        ]
        assert set(said[1].keys) == {hessian_key(rows[3]), hessian_key(rows[1])}
        assert about_hessians(rows[::-1]) == said

    def test_a_doctored_row_says_otherwise(self):
        rows = self.rows()
        rows[3] = replace(rows[3], error=0.9)
        assert "0.6 of gd and 0.9 of bfgs" in about_hessians(rows)[1].text
