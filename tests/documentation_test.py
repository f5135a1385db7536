"""What the documentation shows is what there is."""

import itertools
import re
import runpy
import shlex
import subprocess
from pathlib import Path

import pytest

from spigot_allennlp.compat.installed_configs import resolved
from tests import forks

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

# Words before a command that set its variables.
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def blocks():
    """Returns the blocks of shell commands of all pages, as pytest's parameters."""
    return [
        pytest.param(block, id=f"{page.name}-{number}")
        for page in PAGES
        for number, block in enumerate(
            re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
        )
    ]


def commands(block):
    """Returns the arguments of each `allennlp` in a block, as a shell splits them."""
    text = re.sub(r"(^|\s)#[^'\"\n]*$", "", block.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();|&\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    parts = [[]]
    for word in lexer:
        if set(word) <= set("();|&\n"):
            parts.append([])
        else:
            parts[-1].append(word)
    stripped = (list(itertools.dropwhile(ASSIGNMENT.match, part)) for part in parts)
    return [part[1:] for part in stripped if part[:1] == ["allennlp"]]


COMMANDS = [
    pytest.param(arguments, id=f"{block.id}-{number}-{arguments[0]}")
    for block in blocks()
    for number, arguments in enumerate(commands(block.values[0]))
]


def test_the_estimator_that_the_documentation_walks_through_is_the_one_in_use():
    page = (ROOT / "docs" / "add_an_estimator.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    source = (ROOT / "spigot_allennlp/estimators/blackbox.py").read_text(encoding="utf-8")
    assert _lines(shown) == _lines(source)
    assert len(source.splitlines()) < 60


def test_the_picture_of_a_parse_is_what_the_code_draws():
    module = runpy.run_path(str(ROOT / "docs" / "draw_parse.py"))
    assert module["picture"]() == (ROOT / "docs" / "parse.svg").read_text(encoding="utf-8")


def test_the_commands_of_the_documentation_are_found():
    shown = "".join(block.values[0] for block in blocks())
    assert len(COMMANDS) == len(re.findall(r"^(?!#).*\ballennlp [a-z]", shown, re.MULTILINE)) >= 25


@pytest.mark.parametrize("block", blocks())
def test_a_block_of_commands_is_understood_by_the_shell(block):
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_is_understood_by_its_own_parser(arguments, monkeypatch):
    from allennlp.commands import parse_args

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("sys.argv", ["allennlp", *arguments])
    _, args = parse_args("allennlp")
    if arguments[0] == "evaluate":
        # A name that has commas, and is not JSON, is a list of names to AllenNLP.
        assert "," not in args.input_file or args.input_file[0] in '"{['
    config = getattr(args, "param_path", None) or getattr(args, "config", None)
    # The configs of others, in examples, and the variable of a loop are not looked for.
    if config and not config.startswith("my_") and "$" not in config:
        assert (ROOT / resolved(config)).is_file()


HELP = (
    "train evaluate predict ablate compare-trees configs demo generate-treebank parse plot-metrics "
    "score"
)


@pytest.mark.parametrize("name", HELP.split())
def test_the_help_of_a_command_has_examples_that_its_parser_understands(name, monkeypatch):
    shown = forks.run(forks.FORK, forks.allennlp, name, "--help")
    assert shown.returncode == 0, shown.stderr
    examples = commands(shown.stdout.partition("\nexamples:\n")[2])
    assert examples and all(arguments[0] == name for arguments in examples)
    for arguments in examples:
        test_a_command_is_understood_by_its_own_parser(arguments, monkeypatch)


def test_the_help_of_allennlp_lists_every_command():
    shown = forks.run(forks.FORK, forks.allennlp, "--help")
    assert shown.returncode == 0, shown.stderr
    listed = {line.split()[0] for line in shown.stdout.splitlines() if line.startswith("    ")}
    assert set(HELP.split()) <= listed


def test_the_example_of_a_treebank_runs_as_it_is_typed(tmp_path):
    (arguments,) = commands("allennlp generate-treebank treebank --train 20 --dev 5 --test 0")
    done = forks.run(forks.FORK, forks.allennlp, *arguments, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "treebank" / "train.sdp").is_file()


def _lines(text):
    return [line for line in text.splitlines() if line]
