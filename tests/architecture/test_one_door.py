"""Device values reach the host through `hessx._xp.fetch` alone: the half that syntax shows.

The other half, implicit reads such as ``if array:``, is caught by running every solver on the
pretend GPU with waits forbidden outside the door.
"""

from __future__ import annotations

import ast

import pytest

from _helpers.source import Module, modules

LAYERS_WITH_ARRAYS = ("krylov", "hessians", "operators", "objectives", "solvers", "models")
CONVERSIONS = {"float", "bool", "int", "complex"}
METHODS = {"item", "tolist", "numpy", "__index__", "__float__", "__int__", "__bool__"}
NUMPY_READERS = {"np.asarray", "np.array", "np.from_dlpack", "numpy.asarray", "numpy.array"}

# (file, expression): why it does not read a device array.
ALLOWED = {
    **{
        ("hessians/_lbfgs.py", expression): "host float64, as fetched"
        for expression in (
            "float(self.products[self.now])",
            "float(products[_PAIRS + 2 * self.candidate])",
            "float(pair[0])",
            "float(pair[1])",
            "float(self.products_trial[self.now])",
            "float(c_s @ p[_PAIRS::2])",
            "float(c_y @ p[_PAIRS + 1::2])",
        )
    },
    ("hessians/_lbfgs.py", "int(free[0])"): "a slot of the host's Gram form",
    ("hessians/_lbfgs.py", "float(start)"): "hess_inv0, known to be a number",
    ("hessians/_lbfgs_operator.py", "int(middle.shape[0])"): "a shape",
    (
        "hessians/_applied.py",
        "np.array(to_host(given) if is_array(given) else given, dtype=np.float64)",
    ): "the user's dense Hessian, moved to the host once, when the part is made",
    ("objectives/_differences.py", "np.array(values)"): "Python floats, packed for one upload",
    ("solvers/_line_search_method.py", "float(self.x_scale)"): "known to be a number",
    ("solvers/_methods.py", "bool(given.get('disp', False))"): "an option",
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


@pytest.mark.parametrize("module", modules(*LAYERS_WITH_ARRAYS), ids=lambda m: m.name)
def test_no_array_is_read_outside_the_door(module):
    for expression, line in reads(module):
        assert (module.name, expression) in ALLOWED, (
            f"{module.name}:{line} has {expression}: fetch it, or say in ALLOWED why it is "
            "a number of the host already"
        )


def test_no_exception_is_out_of_date():
    present = {(m.name, expression) for m in modules() for expression, _ in reads(m)}
    assert not ALLOWED.keys() - present


def test_the_reader_sees_every_form(tmp_path):
    path = tmp_path / "sample.py"
    path.write_text("a = [float(x), x.item(), bool(x > 0), np.asarray(x), float('nan'), x.sum()]")
    assert [e for e, _ in reads(Module(path, root=tmp_path))] == [
        "float(x)",
        "x.item()",
        "bool(x > 0)",
        "np.asarray(x)",
    ]
