"""Device values reach the host through `hessx._xp.fetch` alone: the half that syntax shows.

The other half, implicit reads such as ``if array:``, is caught by running every solver on the
pretend GPU with waits forbidden outside the door.
"""

from __future__ import annotations

import ast
import re

import pytest

from _helpers.source import Module, modules

LAYERS_WITH_ARRAYS = (
    "krylov", "hessians", "rules", "directions", "operators", "objectives", "solvers", "models",
    "interop", "comparison",
)  # fmt: skip
CONVERSIONS = {"float", "bool", "int", "complex"}
METHODS = {"item", "tolist", "numpy", "__index__", "__float__", "__int__", "__bool__"}
NUMPY_READERS = {"np.asarray", "np.array", "np.from_dlpack", "numpy.asarray", "numpy.array"}

# (file, pattern of the whole expression): why it does not read a device array.
ALLOWED = {
    (
        "directions/_row_track.py",
        r"float\((self\.products(_trial)?|pair)\[.*\]\)",
    ): "products that were fetched: host, float64",
    ("directions/_lbfgs_direction.py", r"float\(trial\[now\]\)"): "products that were fetched",
    ("hessians/_gram.py", r"float\(self\..*\)"): "products of pairs: host, float64",
    ("hessians/_lbfgs_curvature.py", r"float\(c\.dot\(products\)\)"): "both of the host",
    ("hessians/_compact_forms.py", r"float\(.*\.dot\(.*\)\)"): "products that were fetched",
    ("hessians/_inverse_root.py", r"float\(B_s\.dot\(G\[i\]\)\)"): "products that were fetched",
    ("hessians/_ldfp.py", r"float\(.*\.max\(\)\)"): "products that were fetched",
    ("hessians/_lsr1.py", r"float\(.*\.max\(\)\)"): "products that were fetched",
    (
        "hessians/_start.py",
        r"np\.array\(to_host\(given\) if is_array\(given\) else given\)",
    ): "the user's dense Hessian, moved to the host once, when the part is made",
    ("hessians/_pairs.py", r"float\(cross\[.*\]\)"): "products that were fetched",
    ("hessians/_newton.py", r"float\(.*\)"): "eigenvalues and entries that were fetched",
    ("hessians/_sparse_newton.py", r"float\(.*\)"): "entries and Ritz values that were fetched",
    ("hessians/_ritz.py", r"float\(values\.min\(\)\)"): "eigenvalues that were fetched",
    ("directions/_probe.py", r"float\((w\[0\]|c @ .*)\)"): "eigenvalues that were fetched",
    ("krylov/_chebyshev.py", r"c\.tolist\(\)"): "coefficients of a polynomial, of the host",
    ("krylov/_spectral_bounds.py", r"float\((theta|residuals)\[.*\]\)"): "Ritz values: the host's",
    (
        "hessians/_subsets.py",
        r"np\.array\((to_host\(where\) if is_array\(where\) else where|chosen)\)",
    ): "the user's choice of variables, moved to the host once, when the part is made",
    ("hessians/_subsets.py", r"np\.diff\(.*\)\.tolist\(\)"): "chunks",
    ("krylov/_more_sorensen.py", r"float\(.*\)"): "the model in its eigenbasis: host, float64",
    ("krylov/_secular.py", r"float\(.*\)"): "the model in its eigenbasis: host, float64",
    ("krylov/_tridiagonal.py", r"np\.array\(h\)"): "a list of the host",
    ("krylov/_lanczos.py", r"float\(with_[st]\[.*\]\)"): "products that were fetched",
    ("krylov/_tridiagonal.py", r"float\(.*\)"): "the k by k problem, host and float64",
    ("operators/_lanczos.py", r"float\(.*\)"): "coefficients that were fetched",
    ("operators/_condition.py", r"float\(.*\)"): "eigenvalues of the host",
    ("operators/_density.py", r"float\(.*\)"): "nodes, of the host",
    ("operators/_density.py", r"np\.asarray\(f\(.*\)\)"): "values of f at nodes, of the host",
    ("operators/_extremes.py", r"(float|bool)\(.*\)"): "Ritz values of the host",
    ("operators/_inertia.py", r"float\(largest\)"): "an eigenvalue that was fetched",
    ("operators/_trace_estimate.py", r"float\(np\..*\)"): "samples that were fetched",
    ("solvers/_curvature.py", r"float\(.*\)"): "eigenvalues and entries that were fetched",
    (
        "operators/_pattern.py",
        r"np\.asarray\(self\.ind(ptr|ices)\)",
    ): "the structure of a matrix, of the host",
    ("operators/_pattern.py", r"np\.array\(\[check_integer.*\)"): "known to be integers",
    ("operators/_probes.py", r"bool\(above\.all\(\)\)"): "products that were fetched",
    ("operators/_probes.py", r"float\(usual\)"): "products that were fetched",
    ("operators/_pattern_forms.py", r"np\.asarray\(given\)"): "no array, read when it is given",
    ("operators/_pattern_forms.py", r"int\([mn]\)"): "known to be integers",
    ("operators/_colouring.py", r"int\(.*\)"): "a pattern and its colours, of the host",
    ("operators/_colouring.py", r"np\.array\(self\.colours\)"): "of the host",
    ("operators/_colouring.py", r".*\.tolist\(\)"): "a pattern and its colours, of the host",
    ("operators/_linear_operator.py", r"float\((a|sigma)\)"): "known to be numbers",
    (
        "objectives/_blocks.py",
        r"(numbers|rows)\.tolist\(\)",
    ): "numbers of rows, of the host",
    (
        "objectives/_orders.py",
        r"np\.array\(given, ndmin=1\)",
    ): "the user's probabilities, read once, when the order is made",
    ("comparison/_rows.py", r"(float|int)\((cell|entry)\)"): "the text of a file",
    ("comparison/_matrices.py", r"(float|int|bool)\(.*\)"): "matrices that were fetched",
    ("comparison/_products.py", r"float\(.*\)"): "products that were fetched, and Ritz values",
    ("comparison/_products.py", r"np\.array\(.*\)"): "Python floats",
    ("objectives/_differences.py", r"np\.array\(values\)"): "Python floats, for one upload",
    ("objectives/_differences.py", r"float\(np\.float32\(v\)\)"): "a Python float, rounded",
}


def reads(module: Module) -> list[tuple[str, int]]:
    """Calls that would read an array if they were given one."""
    found = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        by_method = isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
        literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
        if (called in CONVERSIONS and not literal) or called in NUMPY_READERS or by_method:
            found.append((ast.unparse(node), node.lineno))
    return found


def is_allowed(file: str, expression: str) -> bool:
    return any(file == name and re.fullmatch(pattern, expression) for name, pattern in ALLOWED)


@pytest.mark.parametrize("module", modules(*LAYERS_WITH_ARRAYS), ids=lambda m: m.name)
def test_no_array_is_read_outside_the_door(module):
    for expression, line in reads(module):
        assert is_allowed(module.name, expression), (
            f"{module.name}:{line} has {expression}: fetch it, or say in ALLOWED why it is "
            "a number of the host already"
        )


@pytest.mark.parametrize(("file", "pattern"), ALLOWED)
def test_every_exception_is_needed(file, pattern):
    expressions = [expression for m in modules() if m.name == file for expression, _ in reads(m)]
    assert any(re.fullmatch(pattern, expression) for expression in expressions)


def test_the_reader_sees_every_form(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text("a = [float(x), x.item(), bool(x > 0), np.asarray(x), float('nan'), x.sum()]")
    assert [e for e, _ in reads(Module(path, root=tmp_path))] == [
        "float(x)",
        "x.item()",
        "bool(x > 0)",
        "np.asarray(x)",
    ]
