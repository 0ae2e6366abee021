"""What every module has in common."""

from __future__ import annotations

import ast

import pytest

from _helpers.source import Module, modules

MAX_LINES = 300

every_module = pytest.mark.parametrize("module", modules(), ids=lambda m: m.name)


@every_module
def test_a_file_is_short(module):
    lines = module.text.count("\n")
    assert lines <= MAX_LINES, f"{module.name} has {lines} lines: has it two subjects?"


@every_module
def test_a_file_says_what_it_exports(module):
    declared = declared_exports(module)
    defined = public_definitions(module)
    if declared is None:
        assert not defined, f"{module.name} defines {sorted(defined)} and has no __all__"
        return
    assert len(declared) == len(set(declared)), f"{module.name}: a name is twice in __all__"
    named = {name for name in declared if not name.startswith("__")}
    assert named == defined, (
        f"{module.name}: in __all__ only {sorted(named - defined)}, "
        f"defined only {sorted(defined - named)}"
    )


def test_a_checkpoint_tells_classes_by_their_names():
    classes = [
        node.name
        for module in modules()
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
        and any("saved" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    twice = {name for name in classes if classes.count(name) > 1}
    assert not twice, f"saved under one name: {sorted(twice)}"


@every_module
def test_nothing_prints(module):
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("print", "builtins.print"), f"{module.name}:{node.lineno} prints"


@every_module
def test_annotations_are_lazy(module):
    if module.path.name == "__init__.py":
        return
    first = next(node for node in module.tree.body if not isinstance(node, ast.Expr))
    assert ast.unparse(first) == "from __future__ import annotations", module.name


def declared_exports(module: Module) -> list[str] | None:
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def public_definitions(module: Module) -> set[str]:
    """Names that a file makes; an ``__init__`` also makes what it imports from its own package."""
    names: set[str] = set()
    is_init = module.path.name == "__init__.py"
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names.update(t.id for t in node.targets if isinstance(t, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif is_init and isinstance(node, ast.ImportFrom) and (node.module or "")[:5] == "hessx":
            names.update(alias.asname or alias.name for alias in node.names)
    return {name for name in names if not name.startswith("_")}
