"""
Where code may live: the floors of the house, and who may see whom.

A module may import its own package, and what `MAY_IMPORT` grants its package, always by the file
that defines it, never by the face of a package (`__init__.py`), which re-exports its own package
alone. The first floor, `nn`, is divided into rooms, of which none but `lanes` serves others, and a
hall of single files, which serve all.
"""

import ast
import re
from pathlib import Path
from typing import Dict, Iterator, List, Set

import pytest

ROOT = Path(__file__).parents[1] / "spigot_allennlp"

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
        "adaptive_step",
    },
}

# What the files and folders of AllenNLP's runs and of ours have in common.
RUN_FILES = {"compat.whole_files", "compat.folder_lock", "compat.checkpoints"}

# Packages, and single modules of a package that is not seen as a whole.
MAY_IMPORT: Dict[str, Set[str]] = {
    "nn": set(),
    "data": {"config_checks"},
    "metrics": set(),
    # Only within a function that replaces one of AllenNLP's, when it is called.
    "compat": {"data.embedding_file"},
    "config_checks": set(),
    "structures": {"nn"},
    "projections": {"nn", "structures"},
    "estimators": {"nn", "structures", "projections"},
    "modules": {"nn", "structures", "projections", "estimators", "config_checks"},
    "models": {"nn", "modules", "metrics", "structures", "data.punctuation"},
    "predictors": {"data", "modules"},
    "training": set(),
    "callbacks": {"data", "modules", "estimators", "compat.whole_files"},
    "ablation": {"metrics", "modules", "callbacks", *RUN_FILES, "compat.config_variables"},
    "commands": {"data", "ablation", *RUN_FILES},
}

# Libraries that a package does without.
MAY_NOT_NEED: Dict[str, Set[str]] = {
    "nn": {"allennlp"},
    "data": {"torch"},
    "compat": {"allennlp_models"},
}

NO_NAMES = {"utils", "util", "helpers", "common", "misc"}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES: Dict[str, Path] = {name_of(file): file for file in sorted(ROOT.rglob("*.py"))}
FACES = {name for name, file in FILES.items() if file.name == "__init__.py"}
MODULES = sorted(FILES.keys() - FACES)


def tree_of(module: str) -> ast.Module:
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def imports_of(module: str) -> Iterator[str]:
    """The full names of all modules that it imports, also inside functions."""
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in FILES else source


def ours(module: str) -> List[str]:
    return sorted({name for name in imports_of(module) if name.startswith((ROOT.name, "."))})


def package_of(module: str) -> str:
    return module.split(".")[1]


def bases_of_classes(module: str) -> Set[str]:
    """The modules from which a module imports the bases of its classes."""
    classes = [node for node in tree_of(module).body if isinstance(node, ast.ClassDef)]
    bases = {base.id for one in classes for base in one.bases if isinstance(base, ast.Name)}
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
def test_a_module_imports_what_its_floor_may_see_and_nothing_else(module):
    for target in ours(module):
        assert not target.startswith("."), f"{module} imports relatively: {target}"
        assert target not in FACES, f"{module} imports the face {target}, not the file that defines"
        assert is_granted(module, target), f"{module} may not import {target}"


@pytest.mark.parametrize("module", [name for name in MODULES if re.search(r"\.nn\..+\.", name)])
def test_a_room_of_the_first_floor_sees_itself_lanes_and_the_hall(module):
    room = module.split(".")[2]
    for target in ours(module):
        is_in_the_hall = target.count(".") == 2
        assert is_in_the_hall or target.split(".")[2] in {room, "lanes"}, (module, target)


@pytest.mark.parametrize("face", sorted(FACES - {ROOT.name}))
def test_a_face_re_exports_its_own_package_alone(face):
    assert all(target.startswith(face) for target in ours(face))


@pytest.mark.parametrize("module", MODULES)
def test_a_package_does_without_what_it_should_not_need(module):
    unwanted = MAY_NOT_NEED.get(package_of(module), set())
    assert not unwanted & {name.split(".")[0] for name in imports_of(module)}


@pytest.mark.parametrize("module", MODULES)
def test_a_file_has_one_idea(module):
    assert module.split(".")[-1] not in NO_NAMES
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= 400
    assert ast.get_docstring(tree_of(module)) or not tree_of(module).body


@pytest.mark.parametrize("module", MODULES)
def test_a_function_has_45_lines_at_most_besides_signature_and_docstring(module):
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
            assert length <= 45, f"{module}.{node.name} has {length} lines"


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
        assert names[file].lower() == file.replace("_", "")


def test_importing_the_package_registers_everything():
    reached: Set[str] = set()
    waiting = [ROOT.name]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting += [target for target in ours(module) if target in FILES]
    assert not [module for module in MODULES if registered(module) and module not in reached]


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
