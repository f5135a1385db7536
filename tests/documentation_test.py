"""What the documentation shows is what there is."""

import argparse
import io
import itertools
import json
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from allennlp.common import Params
from allennlp.common.params import evaluate_snippet

from spigot_allennlp.commands.demo import DemoServer
from spigot_allennlp.compat.installed_configs import resolved
from spigot_allennlp.estimators import StructuredAttention
from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer
from spigot_allennlp.named_archives import INDEX
from spigot_allennlp.structures import ProjectiveTree
from tests import forks
from tests.training_config_test import TINY

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]

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


def simple_commands(block):
    """Returns the words of each command of a block, as a shell splits them."""
    text = re.sub(r"(^|\s)#[^'\"\n]*$", "", block.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(text, posix=True, punctuation_chars="();|&\n")
    lexer.whitespace, lexer.whitespace_split = " \t", True
    rows = [[]]
    for word in lexer:
        if set(word) <= set("();|&\n"):
            rows.append([])
        else:
            rows[-1].append(word)
    return list(filter(None, rows))


def commands(block):
    """Returns the arguments of each `allennlp` in a block."""
    rows = simple_commands(block)
    stripped = (list(itertools.dropwhile(ASSIGNMENT.match, words)) for words in rows)
    return [words[1:] for words in stripped if words[:1] == ["allennlp"]]


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


def test_the_example_of_a_solver_learns_what_its_page_says(capsys):
    page = (ROOT / "docs" / "your_own_solver.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(shown.splitlines()) < 60
    names = {}
    exec(compile(shown, "your_own_solver.md", "exec"), names)
    assert names["before"] < 0.5 and names["after"] > 0.95
    assert capsys.readouterr().out.startswith(f"matched rightly: {names['before']:.2f} before, ")
    assert f"`matched rightly: {names['before']:.2f} before, " in page


def test_the_example_of_features_chooses_those_that_matter(capsys):
    page = (ROOT / "docs" / "feature_selection.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(shown.splitlines()) < 60
    names = {}
    exec(compile(shown, "feature_selection.md", "exec"), names)
    assert len(names["results"]) == 3
    assert all(chosen == relevant for chosen, relevant in names["results"])
    assert capsys.readouterr().out.count("chosen: [") == 3


def test_the_example_of_a_latent_tree_does_better_with_one():
    page = (ROOT / "docs" / "latent_tree.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len([line for line in shown.splitlines() if line]) < 60
    without_seeds, loop, _ = shown.partition("for seed in range(1, 6):")
    assert loop
    names = {}
    exec(compile(without_seeds, "latent_tree.md", "exec"), names)
    learn = names["learn"]
    # How well it learns by noise depends on the seed and on rounding; by marginals it always does.
    marginals = StructuredArgmaxLayer(ProjectiveTree(), StructuredAttention())
    assert learn(1) < 0.25 < 0.8 < learn(1, marginals)


def test_the_readme_can_be_read_at_once():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


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
    "train evaluate predict ablate compare-trees configs demo generate-treebank pack parse "
    "plot-metrics score"
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


# ---- Other commands than `allennlp`

OF_THE_SHELL = set("cd do done echo export for git pip pre-commit source unzip".split())
OTHERS = [
    pytest.param(words, id=f"{block.id}-{number}-{words[0]}")
    for block in blocks()
    for number, words in enumerate(simple_commands(block.values[0]))
    if "allennlp" not in words and not ASSIGNMENT.match(words[0])
]


class Understood(Exception):
    """A program has read its arguments; it is not to go on."""


@pytest.mark.parametrize("words", OTHERS)
def test_another_command_is_understood_too(words, monkeypatch):
    program, *arguments = words
    if program == "make":
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        names = {name.partition("=")[0] for name in arguments}
        assert names <= set(re.findall(r"^([\w-]+)(?: \??=|:)", makefile, re.MULTILINE)) | {"RUN"}
    elif program == "pytest":
        assert all((ROOT / word).exists() for word in arguments if "/" in word)
    elif program == "python":
        understand = argparse.ArgumentParser.parse_args

        def parse_args(parser, *args):
            understand(parser, *args)
            raise Understood

        monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_args)
        assert arguments[0] == "-m"
        monkeypatch.setattr("sys.argv", arguments[1:])
        with pytest.raises((Understood, SystemExit)) as ended:
            runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        assert getattr(ended.value, "code", 0) == 0
    else:
        assert program in OF_THE_SHELL


# ---- Files

# A reader brings these: files of their own, and data and models that are not ours to give.
BROUGHT = re.compile(
    r"my_.*|google/.*|.*ubyte\.gz|tinyshakespeare\.txt|glove\..*|sst\..*"
    r"|(dm\.)?(train|dev|ood_holmes)\.(sdp|conll)"
)
A_FILE = re.compile(r"[\w.-]+/[\w./-]+|[\w./-]+\.(sdp|conllu?|txt|jsonl?|(jsonn|libsonn)et|gz)")
WRITTEN = {"-s", "--folder", "--output", "--output-file", "--to", ">", "generate-treebank"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_a_command_names_is_there_or_an_earlier_one_makes_it(page):
    made = {".venv"}
    for block in re.findall(r"```bash\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for words in simple_commands(block):
            for before, word in zip(["", *words], words, strict=False):
                name = word.partition("=")[2] if ASSIGNMENT.match(word) else word
                name = str(resolved(name))
                if before in WRITTEN or word.startswith("RUN="):
                    made.add(name)
                elif A_FILE.fullmatch(name) and not BROUGHT.fullmatch(name):
                    is_made = any(name == file or name.startswith(f"{file}/") for file in made)
                    assert is_made or (ROOT / name).exists(), (block, name)


# ---- What is run


SHORTER = {
    "generate-treebank": ["--train", "5", "--dev", "5", "--test", "30"],
    "demo": ["--port", "0"],
}


def run_page(name):
    """
    Runs the blocks of a page in this folder, from the first to the last, as they are typed, but on
    a few sentences; if some is Python, then also the code in the first column of its tables.
    """
    from allennlp.commands import parse_args

    os.environ.update(TINY)
    os.environ[INDEX] = os.path.abspath("index.json")
    DemoServer.serve_forever = lambda server: None
    text = (ROOT / name).read_text(encoding="utf-8")
    names = {}
    for kind, block in re.findall(r"```(bash|python)\n(.*?)```", text, re.DOTALL):
        if kind == "python":
            exec(block, names)
            continue
        printed = ""
        for words in simple_commands(block):
            variables = list(itertools.takewhile(ASSIGNMENT.match, words))
            os.environ.update(variable.split("=", 1) for variable in variables)
            words = words[len(variables) :]
            if words[0] == "echo":
                printed = f"{words[1]}\n"
                if words[2:]:
                    assert words[2] == ">"
                    Path(words[3]).write_text(printed, encoding="utf-8")
            elif words[1] == "ablate":
                continue  # many trainings; its tests are in `tests/ablation`
            elif words[0] == "export":
                os.environ.update(word.split("=", 1) for word in words[1:])
            else:
                sys.stdin = io.TextIOWrapper(io.BytesIO(printed.encode()))
                sys.argv = [*words, *SHORTER.get(words[1], [])]
                if words[1] == "train":
                    own = json.loads(words[words.index("-o") + 1]) if "-o" in words else {}
                    sys.argv += ["-o", json.dumps({**own, "trainer.num_epochs": 1})]
                _, args = parse_args("allennlp")
                args.func(args)
    for code in re.findall(r"^\| `(\w+\.[^`]*)`", text, re.MULTILINE):
        if names:
            eval(code, names)


def test_the_page_of_parses_runs_as_it_is_typed(tmp_path):
    done = forks.run(forks.FORK, run_page, "docs/parse.md", folder=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    made = ["parses.html", "compared.html", "parsed.sdp", "threshold.sdp", "scores.json"]
    assert all((tmp_path / name).stat().st_size for name in made)
    assert "labelled F1" in done.stdout and "shows what runs/parser makes" in done.stdout


# These pages begin with some of what the commands of other pages make.
MADE = {
    "get_started.md": ["parses.html", "parse.svg", "runs/straight_through/model.tar.gz"],
    "named_archives.md": ["runs/parser/model.tar.gz", "packed/dm/README.md", "index.json"],
    "latent_clusters.md": ["runs/clusters/model.tar.gz"],
    "your_own_data.md": ["runs/spigot/model.tar.gz", "runs/parsed.sdp", "graphs.jsonl"],
}


@pytest.mark.parametrize("page", MADE)
def test_a_page_of_commands_runs_as_it_is_typed(page, tmp_path):
    done = forks.run(forks.FORK, run_page, f"docs/{page}", folder=tmp_path)
    assert done.returncode == 0, done.stderr[-4000:]
    assert all((tmp_path / name).stat().st_size for name in MADE[page])


def test_the_layer_of_the_readme_can_be_built():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    (layer,) = re.findall(r"```jsonnet\n(.*?)```", page, re.DOTALL)
    params = Params(json.loads(evaluate_snippet("", f"{{ {layer} }}")))
    assert StructuredArgmaxLayer.from_params(params["argmax"]).names() == (
        "projective_tree",
        "spigot",
    )


def _lines(text):
    return [line for line in text.splitlines() if line]
