"""The hook that patches AllenNLP before the `allennlp` command imports it."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
from importlib.metadata import distributions
from pathlib import Path
from typing import Dict, List

import spigot_allennlp_startup

ROOT = Path(spigot_allennlp_startup.__file__).parent
IS_INSTALLED = "any(type(finder).__name__ == 'PatchFinder' for finder in sys.meta_path)"


def python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables: Dict[str, str] = {**os.environ, **environment}
    command: List[str] = [sys.executable, *arguments]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def line_in_site_packages() -> str:
    """The line that `setup.py` writes, without running `setup.py`."""
    for node in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "STARTUP_LINE":  # type: ignore
            return ast.literal_eval(node.value)
    raise AssertionError("setup.py has no STARTUP_LINE")


def test_the_installation_has_put_the_line_into_the_root_of_site_packages():
    (installed,) = distributions(name="spigot_allennlp", path=[sysconfig.get_path("purelib")])
    (file,) = [file for file in installed.files or [] if str(file) == "spigot_allennlp.pth"]
    assert Path(file.locate()).read_text() == line_in_site_packages()


def test_every_interpreter_starts_with_the_hook():
    assert python("-c", f"import sys; assert {IS_INSTALLED}").returncode == 0


def test_an_environment_variable_turns_it_off():
    code = f"import sys; assert not {IS_INSTALLED}"
    assert python("-c", code, SPIGOT_ALLENNLP_STARTUP="0").returncode == 0


def test_an_interpreter_starts_less_than_two_milliseconds_later(tmp_path, monkeypatch):
    code = "import spigot_allennlp_startup"
    environment = {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(tmp_path)}
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    durations = []
    for _ in range(5):
        report = python("-X", "importtime", "-c", code, **environment).stderr
        rows = re.findall(r"\|\s*(\d+) \|\s*spigot_allennlp_startup", report)
        durations.append(int(rows[0]))
    assert min(durations) < 2000, f"microseconds: {durations}"


def test_nothing_but_the_hook_itself_is_imported():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); import os; before = set(sys.modules);"
        "import spigot_allennlp_startup as startup; startup.start();"
        "assert set(sys.modules) - before == {'spigot_allennlp_startup'}, sys.modules"
    )
    assert python("-S", "-c", code).stderr == ""


def test_the_patches_are_read_without_allennlp_and_without_our_package():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r});"
        "import spigot_allennlp_startup as startup; startup.load_compat();"
        "assert 'spigot_allennlp' not in sys.modules and 'torch' not in sys.modules"
    )
    assert python("-S", "-c", code).stderr == ""


def test_the_line_does_nothing_where_the_hook_is_gone():
    result = python("-S", "-c", line_in_site_packages(), PYTHONPATH="")
    assert (result.returncode, result.stderr) == (0, "")


def test_starting_twice_installs_one_finder():
    spigot_allennlp_startup.install()
    spigot_allennlp_startup.install()
    finders = [type(finder).__name__ for finder in sys.meta_path]
    assert finders.count("PatchFinder") == 1


def test_other_modules_than_those_of_allennlp_are_left_alone():
    finder = spigot_allennlp_startup.PatchFinder()
    assert finder.find_spec("json") is None
    assert finder.find_spec("allennlp_models.structured_prediction") is None
    assert finder.find_spec("allennlp.nn.util", None) is None
