"""What is registered when, in processes of their own: `import spigot_allennlp` alone is light."""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, Set

import pytest
from allennlp.common import Registrable

from tests import forks
from tests.architecture_test import MODULES, registered
from tests.compat.hostile_archives import make_harmless

ROOT = Path(__file__).parents[1]

# Each of these imports our package, and asks AllenNLP for names as it does itself.
WAYS = {
    "include_package": (
        "from allennlp.common.util import import_module_and_submodules\n"
        "import_module_and_submodules('spigot_allennlp')\n"
    ),
    "plugin": (
        "from allennlp.common.plugins import import_plugins\n"
        "import_plugins()\n"
        "from allennlp.models import Model\n"
        "assert 'spigot_allennlp.models' not in sys.modules\n"
        "Model.by_name('syntactic_parser')\n"
    ),
    "import": (
        "import spigot_allennlp\n"
        "assert not {'allennlp', 'torch'} & set(sys.modules)\n"
        "from allennlp.models import Model\n"
        "Model.by_name('syntactic_parser')\n"
    ),
    "import_after_allennlp": (
        "import allennlp.models, allennlp.predictors\n"
        "import spigot_allennlp\n"
        "assert 'parser' in allennlp.predictors.Predictor.list_available()\n"
    ),
    "list_of_commands": (
        "import spigot_allennlp\n"
        "from allennlp.commands.subcommand import Subcommand\n"
        "assert 'ablate' in Subcommand.list_available()\n"
        "assert 'spigot_allennlp.models' not in sys.modules\n"  # for commands need no other package
        "from allennlp.models import Model\n"
        "Model.by_name('syntactic_parser')\n"
    ),
}
SHOW = (
    "import json\n"
    "from allennlp.common import Registrable\n"
    "registry = Registrable._registry\n"
    "print(json.dumps(sorted({n for names in registry.values() for n in names})))\n"
)


def python(code: str) -> "subprocess.CompletedProcess[str]":
    """Runs code in an interpreter that has imported nothing."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "ignore", "-c", f"import sys\n{code}"]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def python_with_libraries(code: str, folder: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    """Runs code in one that has imported libraries, but neither AllenNLP nor our package."""
    begin = (
        "import sys\n"
        "before = {name.partition('.')[0] for name in sys.modules}\n"
        "assert 'torch' in before and not {'allennlp', 'spigot_allennlp'} & before\n"
    )
    return forks.run(forks.LIBRARIES_ONLY, forks.code, begin + code, folder=folder)


@functools.cache
def names_in_the_sources() -> Set[str]:
    names: Dict[str, str] = {}
    for module in MODULES:
        names.update(registered(module))
    return set(names)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_every_class_is_registered(way):
    # The import of our package alone imports no library, either.
    run = python if way == "import" else python_with_libraries
    result = run(WAYS[way] + SHOW)
    assert result.returncode == 0, result.stderr
    registry = set(json.loads(result.stdout.splitlines()[-1]))
    assert len(names_in_the_sources()) > 50
    assert names_in_the_sources() <= registry


def test_importing_the_package_alone_imports_neither_its_packages_nor_allennlp():
    result = python(
        "import spigot_allennlp\n"
        "names = [name for name in sys.modules if name.startswith('spigot_allennlp.')]\n"
        "ours = {name.split('.')[1] for name in names}\n"
        "assert ours == {'compat'}, ours\n"
        "assert not {'allennlp', 'torch', 'numba', 'numpy', 'spacy'} & set(sys.modules)\n"
    )
    assert result.returncode == 0, result.stderr


def test_packages_are_attributes_as_before():
    result = python_with_libraries(
        "import spigot_allennlp\n"
        "assert spigot_allennlp.metrics.ClassScores\n"
        "assert 'models' in dir(spigot_allennlp)\n"
        "try:\n    spigot_allennlp.nothing\n"
        "except AttributeError as error:\n    assert 'nothing' in str(error)\n"
        "else:\n    raise SystemExit('no error')\n"
    )
    assert result.returncode == 0, result.stderr


def test_a_predictor_is_made_from_a_path_after_importing_the_package_alone(tmp_path):
    archive = make_harmless(tmp_path)
    result = python_with_libraries(
        "import spigot_allennlp\n"
        "from allennlp.predictors import Predictor\n"
        f"predictor = Predictor.from_path({str(archive)!r})\n"
        "output = predictor.predict_json({'words': ['We', 'know', 'it', '.']})\n"
        "assert type(predictor).__name__ == 'ParserPredictor' and 'arcs' in output\n",
        folder=tmp_path,  # where there is no plugin file
    )
    assert result.returncode == 0, result.stderr


def test_a_name_that_nobody_has_is_an_error_as_before():
    with pytest.raises(Exception, match="is not a registered name"):
        Registrable.by_name("no_such_name")
