"""What docs/findings.md says follows from the rows that are kept beside it."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from hessx.comparison import HessianRow, read_hessian_rows
from hessx.study.analysis import LADDER, scores, trials
from hessx.study.analysis.behaviour import conducts, robustness, savings, sensitivities
from hessx.study.analysis.choice import recommendations
from hessx.study.analysis.comparisons import beside, per_step
from hessx.study.analysis.peers import beside_peers
from hessx.study.analysis.registered import family_of, package_of, rate_of
from hessx.study.analysis.stability import leaving_one_out, under_tolerances
from hessx.study.analysis.statements import median, number
from hessx.study.methods import METHODS
from hessx.study.plan import planned
from hessx.study.rows import read_rows
from hessx.study.settings import read_settings

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "findings.md").read_text(encoding="utf-8")
ROWS = read_rows(DOCS / "findings" / "rows.csv")
HESSIANS = read_hessian_rows(DOCS / "findings" / "hessians.csv")
RUNS = trials(ROWS)
OWN = [trial for trial in RUNS if not package_of(trial.method)]
SIZES = {row.problem: row.n for row in ROWS}

Table = list[list[str]]


def short(x: float) -> str:
    """Write to three digits; what is not known or never came is a dash."""
    return number(float(f"{x:.3g}")) if math.isfinite(x) else "-"


def of_method(name: str) -> list:
    return [trial for trial in RUNS if trial.method == name]


def hessians(name: str) -> list[HessianRow]:
    return [row for row in HESSIANS if row.approximation == name]


def ends(name: str) -> tuple[HessianRow, HessianRow]:
    """Give the rows of the first and the last step of a run."""
    rows = [row for row in hessians(name) if math.isfinite(row.dennis_more)]
    return rows[0], rows[-1]


def saved() -> Table:
    names = ["gd", "bb", "cg", "diagonal-bfgs", "lbfgs", "bfgs", "sr1", "newton-cg", "trust-ncg"]
    found = savings(ROWS)
    problems = [name for name in SIZES if ("newton", name) in found]
    head = ["method", *(f"{name}, n = {SIZES[name]}" for name in problems)]
    return [head, *([m, *(short(found[m, p][0]) for p in problems)] for m in names)]


def beside_newton() -> Table:
    table = [["method", "problems", "steps", "evaluations and products", "seconds"]]
    for name in ("newton-cg", "bfgs", "lbfgs", "gd"):
        units = ("iterations", "cost", "seconds")
        found = [beside(of_method(name), of_method("newton"), unit=unit) for unit in units]
        table.append([name, str(found[1].problems), *(short(one.ratio) for one in found)])
    return table


def families() -> Table:
    table = [["family", "first", "solved", "to", "cost over the cheapest"]]
    for tau in (1e-6, 0.1):
        for score in scores(OWN, tau):
            family = family_of(score.method)
            if score.solved and family not in [line[0] for line in table]:
                solved = f"{score.solved} of {score.run}"
                table.append([family, score.method, solved, number(tau), short(score.mean_ratio)])
    return table


def beside_the_hessian() -> Table:
    names = dict.fromkeys(row.approximation for row in HESSIANS if row.problem == "breast-cancer")
    table = [
        ["B", "vectors", "first", "last", "error", "scaled", "condition", "gradients", "products"]
    ]
    for name in names:
        first, end = ends(name)
        figures = [
            end.memory / (8 * end.n),
            first.dennis_more,
            end.dennis_more,
            end.error,
            end.scaled_error,
            end.preconditioned_condition / end.hessian_condition,
            end.gradients,
            end.products,
        ]
        table.append([name, *map(short, figures)])
    return table


def chain() -> Table:
    names = ["gauss-newton", "layers", "kfac", "diagonal"]
    points = sorted({row.point for row in hessians("gauss-newton")})
    errors = {(row.approximation, row.point): short(row.error) for row in HESSIANS}
    head = ["steps", *names]
    return [head, *([str(p), *(errors[name, p] for name in names)] for p in points)]


def orders() -> Table:
    names = ["gd", "cg", "lbfgs", "bfgs", "newton", "trust-exact", "newton-cg", "trust-ncg"]
    problems = ["rosenbrock", "breast-cancer", "minimal-surface:100"]
    found = {(c.method, c.problem): c.order for c in conducts(ROWS)}
    fits = [[m, *(found[m, p] for p in problems)] for m in names]
    return [
        ["method", *problems],
        *([m, *(f"{fit.order:.2f} ({fit.steps})" for fit in own)] for m, *own in fits),
    ]


def tolerances() -> Table:
    names = ["gd", "bb", "cg", "lbfgs", "bfgs", "newton", "newton-cg", "trust-ncg"]
    names += ["rmsprop-whole", "adam-whole"]
    found = {tau: {s.method: s for s in scores(RUNS, tau)} for tau in LADDER[::2]}
    lines = [
        [m, str(found[0.1][m].run), *(str(own[m].solved) for own in found.values())] for m in names
    ]
    return [["method", "runs", *map(number, found)], *lines]


def steps() -> Table:
    names = ["gd", "bb", "cg", "diagonal-bfgs", "lbfgs", "bfgs", "sr1", "newton", "newton-cg"]
    names += ["trust-ncg", "ncg-nystrom", "lm", "adam-whole", "sgd", "adam", "kfac"]
    table = [["method", "evaluations", "products", "fetches", "ms beside f", "peak, MiB"]]
    for name in names:
        step = per_step(of_method(name))
        peak = median(trial.row.memory for trial in of_method(name)) / 2**20
        figures = step.evaluations, step.products, step.fetches, step.seconds * 1e3, peak
        table.append([name, *map(short, figures)])
    return table


def oscillation() -> Table:
    names = ["gd", "bb", "cg", "cg-hz", "lbfgs", "bfgs", "newton", "newton-cg", "gd-fixed"]
    names += ["momentum-whole", "rmsprop-whole", "adam-whole"]
    problems = ["linear-regression", "breast-cancer", "minimal-surface:100"]
    found = {(c.method, c.problem): c for c in conducts(ROWS)}
    table = [["method", *problems]]
    for name in names:
        ways = [found[name, problem] for problem in problems]
        table.append(
            [name, *(f"{short(c.cosine)}; {short(100 * c.rises / c.steps)} %" for c in ways)]
        )
    return table


def features() -> Table:
    found = {(r.method, r.feature): r for r in robustness(ROWS)}
    names = ["start", "noise", "truncated", "permuted", "rotated", "scaled", "nan"]
    table = [["method", *names]]
    for method in dict.fromkeys(m for m, _ in found):
        own = [found[method, name] for name in names]
        table.append([method, *(f"{r.solved} of {r.runs}; {short(r.ratio)}" for r in own)])
    return table


def rates() -> Table:
    table = [["method", "problem", "tried", "best", "at most twice the cost"]]
    for s in sensitivities(ROWS):
        span = f"{short(s.low)} to {short(s.high)}"
        table.append([s.method, s.problem, str(s.tried), short(s.best), span])
    return table


def sampled_rates() -> Table:
    methods = ["sgd", "momentum", "rmsprop", "adam"]
    times = [0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0]
    table = [["method", "its rate", *(f"times {number(t)}" for t in times)]]
    for name in methods:
        rate = METHODS[name].rate
        assert rate is not None
        found = {rate_of(row): row for row in ROWS if row.method == name}
        losses = [next(r.value for x, r in found.items() if is_near(x, t * rate)) for t in times]
        table.append([name, number(rate), *map(short, losses)])
    return table


def is_near(x: float | None, y: float) -> bool:
    return x is not None and math.isclose(x, y, rel_tol=1e-9)


def firmness() -> Table:
    table = [["what is changed", "least", "for", "median"]]
    for name, found in (
        ("the tolerance, 1e-6", under_tolerances(OWN)),
        ("one problem left out", leaving_one_out(OWN)),
    ):
        least = min(found, key=lambda one: one.correlation)
        middle = median(one.correlation for one in found)
        table.append([name, short(least.correlation), least.change, short(middle)])
    return table


def combined() -> Table:
    found = savings(ROWS, reference="newton-cg")
    names = ["gd-newton-cg", "lbfgs-newton-cg", "ncg-nystrom", "trust-ncg"]
    problems = [name for name in SIZES if ("newton-cg", name) in found and name != "digits-linear"]
    return [
        ["method", *problems],
        *([m, *(short(found[m, p][0]) for p in problems)] for m in names),
    ]


def choice() -> Table:
    table = [["situation", "problems", "first", "solved", "cost over the cheapest", "then"]]
    for r in recommendations(ROWS):
        if r.kind == "tag" and len(r.problems) < 3:
            continue
        first = r.ranked[0]
        table.append(
            [
                r.situation + (" (0.1)" if r.tau == 0.1 else ""),
                str(len(r.problems)),
                first.method,
                f"{first.solved} of {first.run}",
                short(first.mean_ratio),
                ", ".join(score.method for score in r.ranked[1:4] if score.solved == first.solved),
            ]
        )
    return table


def peers() -> Table:
    table = [["problem", "hessx", "SciPy", "torch.optim"]]
    found: dict[str, dict[str, str]] = {}
    for versus in beside_peers(RUNS, 1e-6, "cost"):
        line = found.setdefault(versus.instance.problem, {})
        line["hessx"] = f"{versus.method} {short(versus.cost)}"
        line[versus.peer] = f"{versus.peer_method} {short(versus.peer_cost)}"
    return [*table, *([p, *(line[name] for name in table[0][1:])] for p, line in found.items())]


def regression() -> Table:
    names = ["gd-fixed", "momentum-whole", "rmsprop-whole", "adam-whole", "gd", "bb", "lbfgs"]
    names += ["bfgs", "inverse-0.01", "inverse-1", "newton", "newton-cg"]
    table = [["method", "steps", "evaluations", "products", "to 1e-6", "f at the end"]]
    for name in names:
        (trial,) = (t for t in of_method(name) if t.row.problem == "linear-regression")
        row = trial.row
        counts = row.iterations, row.evaluations, row.products, trial.cost(1e-6)
        table.append([name, *map(str, counts), f"{row.value:.1e}"])
    return table


TABLES = {
    "Why approximate": saved,
    "In steps, cost and seconds": beside_newton,
    "Which approximations there are": families,
    "Beside the true Hessian": beside_the_hessian,
    "Along a chain": chain,
    "Order of convergence": orders,
    "How close they come": tolerances,
    "What a step costs": steps,
    "When they oscillate": oscillation,
    "How robust they are": features,
    "Which rate": rates,
    "Rates on samples": sampled_rates,
    "Which method": choice,
    "How firm the order is": firmness,
    "Two methods in one run": combined,
    "Beside other packages": peers,
    "Four methods on (X, y)": regression,
}


def tables_of(text: str) -> dict[str, Table]:
    """Give the last table under each heading."""
    found = {}
    for part in re.split(r"^##+ ", text, flags=re.MULTILINE)[1:]:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
        if cells:
            found[part.splitlines()[0]] = [cells[0], *cells[2:]]
    return found


@pytest.mark.parametrize("heading", TABLES)
def test_a_table_is_that_of_the_rows(heading):
    assert tables_of(PAGE)[heading] == TABLES[heading]()


def test_other_tables_have_no_figures():
    others = {heading: t for heading, t in tables_of(PAGE).items() if heading not in TABLES}
    assert [*others] == ["In short"]
    text = " ".join(cell for line in others["In short"] for cell in line)
    named = set(re.findall(r"`([\w-]+)`", text))
    assert not re.search(r"\d", re.sub("`.*?`", "", text))
    assert named <= {trial.method for trial in RUNS}


def test_the_rows_are_those_that_the_file_asks_for():
    jobs = planned(read_settings(DOCS / "findings.toml")).jobs({})
    assert {row.job for row in ROWS} == set(jobs)


def test_what_the_text_says_holds():
    saved_there = savings(ROWS)
    for problem in ("breast-cancer", "minimal-surface:100"):
        assert all(saved_there[m, problem][0] < 0.1 for m in ("lbfgs", "bfgs"))
    assert saved_there["gd", "quadratic"][0] > 50 > 1 > saved_there["gd", "breast-cancer"][0]

    # pairs teach, multiples and diagonals do not
    for name in ("lbfgs", "bfgs", "dfp"):
        first, end = ends(name)
        assert end.dennis_more < first.dennis_more / 100
        assert end.scaled_error < 0.25
        assert end.preconditioned_condition < end.hessian_condition / 10
    for name in ("gd", "spectral", "diagonal-bfgs", "jacobi", "hutchinson", "adam", "rmsprop"):
        end = ends(name)[1]
        assert end.scaled_error > 0.8
        assert end.preconditioned_condition > 0.99 * end.hessian_condition
    first, end = ends("gd")
    assert end.dennis_more > first.dennis_more / 3
    first, end = ends("sr1")
    assert end.error > 10
    assert end.dennis_more < first.dennis_more / 40
    assert ends("adam")[1].preconditioned_condition > 10 * ends("adam")[1].hessian_condition
    for line in chain()[1:]:
        errors = [float(cell) for cell in line[1:]]
        assert errors == sorted(errors)

    went = {(c.method, c.problem): c for c in conducts(ROWS)}
    for problem in ("breast-cancer", "minimal-surface:100"):
        assert went["gd", problem].cosine < 0 < went["newton", problem].cosine
        assert 1.8 < went["newton", problem].order.order < 2.2
        assert 0.9 < went["gd", problem].order.order < 1.1
        assert went["bfgs", problem].order.order < 1.3
    assert went["bfgs", "rosenbrock"].order.order > 1.3
    for name in ("momentum-whole", "rmsprop-whole", "adam-whole"):
        for problem in ("linear-regression", "breast-cancer", "minimal-surface:100"):
            way = went[name, problem]
            assert not 0 < way.rises < 0.4 * way.steps
    searched = ("gd", "cg", "lbfgs", "bfgs", "newton", "newton-cg")
    assert not any(went[m, p].rises for m in searched for p in ("breast-cancer", "rosenbrock"))

    borne = {(r.method, r.feature): r for r in robustness(ROWS)}
    firm = ("diagonal-bfgs", "lbfgs", "bfgs", "sr1", "newton-cg", "trust-ncg", "scipy-bfgs")
    assert all(r.solved == r.runs for r in borne.values() if r.method in firm)
    assert all(
        r.solved == r.runs
        for (m, f), r in borne.items()
        if f not in ("scaled", "nan") and m != "adam-whole"
    )
    rows = [row for row in ROWS if row.feature == "scaled" and row.method == "newton"]
    assert {row.problem for row in rows if not row.converged} == {"breast-cancer"}
    assert borne["adam-whole", "nan"].solved == 0

    elsewhere = next(t.row for t in of_method("newton-cg") if t.row.problem == "chained-rosenbrock")
    assert elsewhere.converged and elsewhere.value > 3.9

    for line in sampled_rates()[1:]:
        losses = [float(cell) for cell in line[2:]]
        assert losses.index(min(losses)) in (4, 5)  # 3 or 10 times its own rate

    best = {(s.method, s.problem): s for s in sensitivities(ROWS)}
    of_gd = [best["gd-fixed", problem] for problem in ("linear-regression", "breast-cancer")]
    assert of_gd[1].best > 30 * of_gd[0].best
    assert all(s.low == s.best == s.high for s in of_gd)
    for name in ("adam-whole", "rmsprop-whole"):
        two = [s.best for (m, _), s in best.items() if m == name]
        assert max(two) <= 3.01 * min(two)

    behind = [v.instance.problem for v in beside_peers(RUNS, 1e-6, "cost") if v.behind]
    assert set(behind) == {"brown-dennis", "chained-rosenbrock", "minimal-surface:100"}
