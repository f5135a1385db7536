"""The trial of gradients through trees: its parts of a treebank, and its arms."""

import json
import re
import shlex
from collections import Counter
from itertools import permutations
from pathlib import Path

import numpy
import pytest
from allennlp.common import Params
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.ablation.plan.make_plan import make_plan, read_axes
from studies.trees.__main__ import TRIAL
from studies.trees.arms import ARMS, JOINT
from studies.trees.regimes import GOLD_TREES, HELD_OUT, REGIMES, write_parts
from studies.trial import overview, table, with_interval

SENTENCES = 3500
DOCS = Path(__file__).parents[2] / "docs"
SCORES = DOCS / "trial_of_trees.json"


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts of a treebank whose sentence with number i is the word "w<i>"."""
    treebank, folder = tmp_path_factory.mktemp("treebank"), tmp_path_factory.mktemp("parts")
    words = [f"w{number}" for number in range(SENTENCES)]
    graphs = "".join(f"#{word}\n1\t{word}\t{word}\tNN\t+\t-\t_\n\n" for word in words)
    (treebank / "train.sdp").write_text(f"#SDP 2015\n{graphs}")
    trees = "".join(f"1\t{word}\t{word}\tNN\tNN\t_\t0\troot\t_\t_\n\n" for word in words)
    (treebank / "train.conll").write_text(trees)
    for name in ("dev.sdp", "dev.conll"):
        (treebank / name).write_text(name)
    write_parts(treebank, folder)
    return folder


def numbers(file):
    lines = [line.split("\t") for line in file.read_text().splitlines()]
    return Counter(int(line[1][1:]) for line in lines if len(line) > 1)


@pytest.mark.parametrize("name", REGIMES)
def test_a_regime_has_its_sentences_and_none_that_is_tested_on(parts, name):
    trees, graphs = numbers(parts / f"{name}.conll"), numbers(parts / f"{name}.sdp")
    regime = REGIMES[name]
    assert len(trees) == regime.trees and set(trees.values()) <= {regime.repeated_trees}
    assert len(graphs) == regime.graphs and set(graphs.values()) == {regime.repeated_graphs}
    assert not trees.keys() & graphs.keys()
    assert max(trees.keys() | graphs.keys()) < SENTENCES - HELD_OUT
    assert (parts / f"{name}.sdp").read_text().startswith("#SDP 2015\n#w")
    assert numbers(parts / GOLD_TREES / f"{name}.conll") == graphs


def test_the_last_sentences_are_tested_on_with_graph_and_tree(parts):
    last = set(range(SENTENCES - HELD_OUT, SENTENCES))
    assert numbers(parts / "test.sdp").keys() == numbers(parts / "test.conll").keys() == last


def test_few_trees_are_among_the_many(parts):
    few, many = (numbers(parts / f"{name}.conll") for name in ("few_trees", "few_graphs"))
    assert few.keys() < many.keys()


def test_files_that_do_not_belong_together_are_refused(tmp_path):
    (tmp_path / "train.sdp").write_text("#SDP 2015\n#1\n1\ta\ta\tNN\t+\t-\t_\n\n")
    (tmp_path / "train.conll").write_text("1\ta\n\n1\tb\n\n")
    with pytest.raises(ValueError, match="1 graphs, but 2 trees"):
        write_parts(tmp_path, tmp_path / "parts")


def test_every_arm_has_as_many_trials():
    assert {len(arm.settings) for arm in ARMS.values()} == {3}


@pytest.mark.parametrize("name", REGIMES)
def test_every_arm_can_be_built_in_every_regime(name, tmp_path, monkeypatch):
    monkeypatch.setenv("SPIGOT_EMBEDDINGS", "")
    for variable, value in TRIAL.environment(tmp_path, name).items():
        monkeypatch.setenv(variable, value)
    file = tmp_path / "variants.json"
    variants = {arm: ARMS[arm].variant(ARMS[arm].settings[-1]) for arm in ARMS}
    file.write_text(json.dumps(variants))
    plan = make_plan(JOINT, read_axes([], str(file)), seeds=[1])
    entries = {"tokens": ["a"], "semantic_roles": ["ARG1"], "dependency_relations": ["nsubj"]}
    vocab = Vocabulary(tokens_to_add=entries, non_padded_namespaces=[])
    sizes = {}
    for variant in plan.variants.values():
        readers = variant.config["dataset_reader"].get("readers", {"semantics": None})
        is_joint = variant.name not in ("no tree", "no tree, larger", "gold tree")
        assert ("syntax" in readers) == (is_joint and REGIMES[name].trees > 0)
        model = Model.from_params(Params(variant.config["model"]), vocab=vocab)
        sizes[variant.name] = sum(weights.numel() for weights in model.parameters())
        semantic_parser = model.semantic_parser if is_joint else model
        bias = semantic_parser._arc_scorer._from_dependent.bias.item()
        assert bias == REGIMES[name].arc_bias or (REGIMES[name].arc_bias is None and abs(bias) < 1)
    # A vocabulary of three words leaves out what grows with it, which is twice as much in both.
    assert sizes["no tree, larger"] > sizes["pipeline"] > sizes["no tree"]


@pytest.mark.parametrize("regime", json.loads(SCORES.read_text()))
def test_the_table_of_the_page_is_that_of_the_scores(regime):
    page = (DOCS / "results" / "trial_of_trees.md").read_text().splitlines()
    expected = table(TRIAL, regime, json.loads(SCORES.read_text())[regime])
    start = page.index(expected[0])
    assert page[start : start + len(expected)] == expected


def test_the_table_of_all_regimes_is_that_of_the_scores():
    page = (DOCS / "trial_of_trees.md").read_text().splitlines()
    expected = overview(TRIAL, json.loads(SCORES.read_text()))
    start = page.index(expected[0])
    assert page[start : start + len(expected)] == expected


def prose(page, start="", end="\0"):
    """The text of a page from one line to another, without its tables, on a single line."""
    text = (DOCS / page).read_text().partition(start)[2] if start else (DOCS / page).read_text()
    lines = text.partition(end)[0].splitlines()
    return " ".join(line.strip() for line in lines if not line.startswith("|"))


def differences(regimes):
    """Every difference of two arms with its interval, over all common seeds and over the fresh."""
    compared = [SCORES_BY_REGIME[regime]["comparison"] for regime in regimes]
    for arms, metric in ((arms, metric) for arms in compared for metric in TRIAL.metrics):
        for first, second in permutations(arms, 2):
            of_first, of_second = (arms[name]["scores"][metric] for name in (first, second))
            common = of_first.keys() & of_second.keys()
            for seeds in (common, [seed for seed in common if int(seed) > 8]):
                if len(seeds) > 1:
                    points = [100 * (of_first[seed] - of_second[seed]) for seed in seeds]
                    yield numbers_in(with_interval(numpy.array(points)))


def numbers_in(text):
    return tuple(float(number) for number in re.findall(r"[+-]?\d+\.\d", text))


SCORES_BY_REGIME = json.loads(SCORES.read_text())
DIFFERENCE = r"[+-]?\d+\.\d(?:,|[^()\d]{1,80}\() ?[+-]?\d+\.\d to [+-]?\d+\.\d"
TABLES = "results/trial_of_trees.md"
PARTS = {
    "as_many": ("## As many trees as graphs", "## From words alone"),
    "raw_words": ("## From words alone", "## Many trees, few graphs"),
    "few_graphs": ("## Many trees, few graphs", "## Few trees, many graphs"),
    "few_trees": ("## Few trees, many graphs", "## Few trees, a short training"),
    "few_trees_short": ("## Few trees, a short training", "## No trees"),
    "no_trees": ("## No trees", "## What the gradient of structured attention changes"),
}


@pytest.mark.parametrize("regime", PARTS)
def test_what_is_said_of_a_regime_is_what_its_scores_say(regime):
    said = re.findall(DIFFERENCE, prose(TABLES, *PARTS[regime]))
    assert said
    right = set(differences([regime]))
    assert [text for text in said if numbers_in(text) not in right] == []


def test_what_is_said_of_all_regimes_is_what_the_scores_say():
    said = re.findall(DIFFERENCE, prose("trial_of_trees.md"))
    right = set(differences(REGIMES))
    assert said and [text for text in said if numbers_in(text) not in right] == []


@pytest.mark.parametrize(
    "page, start, end",
    [(TABLES, "## As many trees", "## No trees"), ("choose_an_estimator.md", "**Norm cap", "## ")],
)
def test_what_is_said_of_three_settings_is_what_tuning_found(page, start, end):
    """Three numbers in a row are those of an arm with its three settings."""
    said = re.findall(r"\d\d\.\d, \d\d\.\d,? (?:and )?\d\d\.\d", prose(page, start, end))
    right = set()
    for scores in SCORES_BY_REGIME.values():
        means = {
            trial: {name: numpy.mean(list(of.values())) for name, of in by_metric.items() if of}
            for trial, by_metric in scores["tuning"].items()
        }
        for (name, arm), metric in ((item, m) for item in ARMS.items() for m in TRIAL.metrics):
            trials = [f"{name}, {arm.tuned} {setting}" for setting in arm.settings]
            if all(metric in means.get(trial, {}) for trial in trials):
                right.add(tuple(round(100 * means[trial][metric], 1) for trial in trials))
    assert said and [text for text in said if numbers_in(text) not in right] == []


def test_the_commands_of_the_page_run_what_its_scores_are_of():
    """`tune` names the arms of a regime; rows that were copied from another have no tuning."""
    page = (DOCS / TABLES).read_text()
    block = page.partition("## Run it again\n\n```bash\n")[2].partition("```")[0]
    lines = block.replace("\\\n", "").splitlines()
    commands = [shlex.split(line, comments=True)[3:] for line in lines if "--arms" in line]
    named = {words[1]: words[words.index("--arms") + 1 :] for words in commands}
    runs = dict(re.findall(r"- `(\w+)`: (\d+ (?:runs of tuning )?and \d+)", page))
    assert named.keys() == SCORES_BY_REGIME.keys()
    for regime, scores in SCORES_BY_REGIME.items():
        tuned = {trial.rpartition(", ")[0] for trial in scores["tuning"]}
        assert sorted(named[regime]) == sorted(tuned)
        if regime in runs:
            compared = [scores["comparison"][name]["scores"] for name in tuned]
            done = (scores["tuning"].values(), compared)
            counts = [sum(len(of[TRIAL.metrics[0]]) for of in kind) for kind in done]
            assert [int(number) for number in re.findall(r"\d+", runs[regime])] == counts
    assert runs


NAMES = {
    "no tree": "no tree",
    "gold tree": "gold tree",
    "`pipeline`": "pipeline",
    "`spigot`": "spigot",
    "`structured_attention`": "structured attention",
}


def test_the_summary_of_all_results_has_the_means_of_the_scores():
    """The regimes have a line each, in the order of the table of all regimes."""
    text = prose("results.md", "[tables](results/trial_of_trees.md)):", "Most of structured")
    lines = text.replace("**", "").split("- ")[1:]
    regimes = overview(TRIAL, SCORES_BY_REGIME)[0].strip("| ").split(" | ")
    for regime, line in zip(regimes, lines, strict=True):
        compared = SCORES_BY_REGIME[regime]["comparison"]
        for name, arm in NAMES.items():
            for mean in re.findall(rf"{name} (\d\d\.\d)", line):
                scores = list(compared[arm]["scores"]["labelled_f1"].values())
                assert mean == f"{100 * numpy.mean(scores):.1f}", (regime, name)
