"""
Where code may live, and who may import whom; docs/architecture.md explains it.

A module may import its own package, and what `MAY_IMPORT` grants its package, always from the file
that defines it, never from a package's `__init__.py`, which re-exports its own package alone. In
`nn`, a family of kernels (a folder) sees itself, `semirings`, and the single files of `nn`, which
serve all families.
"""

import ast
import importlib.util
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Dict, List, Set

import pytest

ROOT = Path(__file__).parents[1] / "spigot_allennlp"
DRAW = ROOT.parent / "docs" / "draw_architecture.py"

specification = importlib.util.spec_from_file_location("draw_architecture", DRAW)
assert specification is not None and specification.loader is not None
draw_architecture = importlib.util.module_from_spec(specification)
specification.loader.exec_module(draw_architecture)

# Of these packages only the base files may be seen from outside, and a sibling only in order to
# subclass it: no module knows a concrete structure, projection or estimator.
BASE_FILES: Dict[str, Set[str]] = {
    "structures": {"structure"},
    "projections": {"projection"},
    "estimators": {
        "problem",
        "gradient_estimator",
        "pulled_back_estimator",
        "noise",
    },
}

# What the files and folders of AllenNLP's runs and of ours have in common.
RUN_FILES = {"compat.atomic_io", "compat.folder_lock", "compat.checkpoints"}

# Packages, and single modules of a package that is not seen as a whole.
MAY_IMPORT: Dict[str, Set[str]] = {
    "nn": set(),
    "data": {"config_checks"},
    "metrics": set(),
    # Only within a function that replaces one of AllenNLP's, when it is called.
    "compat": {"data.formats.embeddings"},
    "registrable": set(),
    "config_checks": {"registrable"},
    "structures": {"nn", "registrable"},
    "projections": {"config_checks", "nn", "registrable", "structures"},
    "estimators": {"config_checks", "nn", "registrable", "structures", "projections"},
    "layers": {"config_checks", "estimators", "nn", "projections", "registrable", "structures"},
    "modules": {
        "nn",
        "structures",
        "projections",
        "estimators",
        "layers",
        "config_checks",
        "data.formats.embeddings",
    },
    "models": {
        "config_checks",
        "nn",
        "modules",
        "metrics",
        "layers",
        "structures",
    },
    "parses": {"data"},
    "predictors": {
        "config_checks",
        "data",
        "parses",
        "modules",
        "layers",
        "models.parsing_model",
        "models.sequence_models",
        "nn.attentive.cell",
        "nn.length_groups",
        "named_archives",
        "compat.outputs",
        "compat.plain_errors",
        "compat.predictors",
    },
    "named_archives": {"compat.atomic_io", "compat.folder_lock", "compat.plain_errors"},
    "training": {"config_checks", "compat.atomic_io", "compat.plain_errors"},
    "callbacks": {
        "config_checks",
        "modules",
        "layers",
        "models.pretrained",
        "training",
        "compat.atomic_io",
    },
    "ablation": {
        "metrics",
        "modules",
        "layers",
        "callbacks",
        "training",
        *RUN_FILES,
        "compat.configs",
        "compat.installed_configs",
    },
    "commands": {
        "data",
        "ablation",
        "metrics",
        "training",
        "predictors",
        "parses",
        *RUN_FILES,
        "compat.outputs",
        "compat.plain_errors",
        "compat.predictors",
        "compat.installed_configs",
        "named_archives",
    },
}

# Libraries that a package does without.
MAY_NOT_NEED: Dict[str, Set[str]] = {
    "nn": {"allennlp"},
    "registrable": {"allennlp", "torch"},
    "config_checks": {"allennlp", "torch"},
    **dict.fromkeys(("structures", "projections", "estimators"), {"allennlp"}),
    "layers": {"allennlp"},
    "data": {"torch"},
    "compat": {"allennlp_models"},
}

NO_NAMES = {"utils", "util", "helpers", "common", "misc"}


FILES: Dict[str, Path] = draw_architecture.modules(ROOT)
FACES = {name for name, file in FILES.items() if file.name == "__init__.py"}
MODULES = sorted(FILES.keys() - FACES)
# From here on a reader has to scroll: in lines, without signature and docstring for a function.
LONG_FILE, LONG_FUNCTION = 400, 45


def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def imports_of(module: str) -> Set[str]:
    """The full names of all modules that it imports, also inside functions."""
    return set(draw_architecture.imports(tree_of(module), FILES))


def ours(module: str) -> List[str]:
    return sorted({name for name in imports_of(module) if name.startswith((ROOT.name, "."))})


def package_of(module: str) -> str:
    return module.split(".")[1]


def bases_of_classes(module: str) -> Set[str]:
    """The modules from which a module imports the bases of its classes."""
    classes = [node for node in tree_of(module).body if isinstance(node, ast.ClassDef)]
    bases = {
        base.id for definition in classes for base in definition.bases if isinstance(base, ast.Name)
    }
    return {
        node.module or ""
        for node in tree_of(module).body
        if isinstance(node, ast.ImportFrom) and bases & {alias.name for alias in node.names}
    }


def is_granted(module: str, target: str) -> bool:
    here, there = package_of(module), package_of(target)
    is_base = target.split(".")[-1] in BASE_FILES.get(there, {target.split(".")[-1]})
    if here == there:
        return is_base or target in bases_of_classes(module)
    granted = {there, target.partition(".")[2]} & MAY_IMPORT[here]
    return bool(granted) and is_base


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_its_package_may_see_and_nothing_else(module):
    for target in ours(module):
        assert not target.startswith("."), f"{module} imports relatively: {target}"
        assert target not in FACES, f"{module} imports {target}, not the file that defines"
        assert is_granted(module, target), f"{module} may not import {target}"


@pytest.mark.parametrize("module", [name for name in MODULES if re.search(r"\.nn\..+\.", name)])
def test_a_family_of_kernels_sees_itself_the_semirings_and_single_files(module):
    family = module.split(".")[2]
    for target in ours(module):
        is_single_file = target.count(".") == 2
        assert is_single_file or target.split(".")[2] in {family, "semirings"}, (
            module,
            target,
        )


@pytest.mark.parametrize("face", sorted(FACES - {ROOT.name}))
def test_a_package_re_exports_itself_alone(face):
    assert all(target.startswith(face) for target in ours(face))


@pytest.mark.parametrize("module", MODULES)
def test_a_package_does_without_what_it_should_not_need(module):
    unwanted = MAY_NOT_NEED.get(package_of(module), set())
    assert not unwanted & {name.split(".")[0] for name in imports_of(module)}


@pytest.mark.parametrize("module", MODULES)
def test_a_file_has_a_name_that_says_something_and_a_docstring(module):
    assert module.split(".")[-1] not in NO_NAMES
    assert ast.get_docstring(tree_of(module)) or not tree_of(module).body


def test_what_is_long_is_remarked_on():
    """A hint to the reader of the tests' output, not a rule: a long idea may be one."""
    for module in MODULES:
        lines = len(FILES[module].read_text(encoding="utf-8").splitlines())
        if lines > LONG_FILE:
            warnings.warn(f"{module} has {lines} lines: is it one idea?", stacklevel=1)
        for node in ast.walk(tree_of(module)):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                if length > LONG_FUNCTION:
                    warnings.warn(f"{module}.{node.name} has {length} lines", stacklevel=1)


def registered(module: str) -> Dict[str, str]:
    """The names under which a module registers its classes, with the classes."""
    names = {}
    for node in ast.walk(tree_of(module)):
        for call in node.decorator_list if isinstance(node, ast.ClassDef) else ():
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "register":
                names[ast.literal_eval(call.args[0])] = node.name
    return names


@pytest.mark.parametrize("module", [name for name in MODULES if package_of(name) in BASE_FILES])
def test_file_class_and_registered_name_are_the_same_word(module):
    file = module.split(".")[-1]
    if file not in BASE_FILES[package_of(module)]:
        names = registered(module)
        assert list(names) == [file]
        # a class may end in what it is a kind of: "sparsemap" is SparseMAPProjection
        kind = package_of(module).removesuffix("s").capitalize()
        assert names[file].removesuffix(kind).lower() == file.replace("_", "")


def test_no_module_needs_itself():
    needs = {module: {t for t in ours(module) if t in MODULES} for module in MODULES}
    while True:
        ready = {module for module, targets in needs.items() if not targets & needs.keys()}
        if not ready:
            break
        needs = {module: targets for module, targets in needs.items() if module not in ready}
    assert not needs, f"in circles, or above one: {sorted(needs)}"


def test_every_package_has_a_row_in_the_table():
    assert {package_of(module) for module in MODULES} <= MAY_IMPORT.keys()


def test_the_picture_and_the_table_of_the_documentation_are_what_the_imports_say():
    check = subprocess.run(
        [sys.executable, str(DRAW), "--check"], capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stdout + check.stderr


def test_a_circle_of_packages_cannot_be_drawn():
    first, second = (
        draw_architecture.Package(name, "", {need}) for name, need in (("a", "b"), ("b", "a"))
    )
    with pytest.raises(ValueError, match="circle"):
        draw_architecture.rows_of([first, second])
