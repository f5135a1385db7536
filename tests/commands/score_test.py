"""`allennlp score` on small files, with metrics worked by hand."""

import argparse
import io
import json
import re
import sys
from types import SimpleNamespace

import numpy
import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.score import Score, format_of, score_files

HEADER = "#SDP 2015\n"
GOLD = "1\tKim\t_\t_\t-\t-\t_\tARG1\n2\tsleeps\t_\t_\t+\t+\t_\t_\n\n1\tGo\t_\t_\t+\t-\t_\n\n"
#: In the first sentence the label is wrong, in the second all is right.
WRONG_LABEL = GOLD.replace("ARG1", "ARG2")
NO_ARC = "1\tKim\t_\t_\t-\t-\t_\n2\tsleeps\t_\t_\t+\t-\t_\n\n1\tGo\t_\t_\t+\t-\t_\n\n"
CONLLU = (
    "1\tKim\t_\t_\t_\t_\t2\tnsubj\t2:nsubj|3:nsubj\t_\n"
    "2\twants\t_\t_\t_\t_\t0\troot\t0:root\t_\n"
    "3\tsleep\t_\t_\t_\t_\t2\txcomp\t2:xcomp\t_\n\n"
)
OTHER_CONLLU = CONLLU.replace("|3:nsubj", "").replace("2\txcomp\t2:xcomp", "1\txcomp\t1:xcomp")


@pytest.fixture
def files(tmp_path):
    """Writes texts into files, and returns their paths."""

    def write(*texts, suffix=".sdp"):
        header = HEADER if suffix == ".sdp" else ""
        paths = [tmp_path / f"{number}{suffix}" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(header + text)
        return list(map(str, paths))

    return write


def score(*arguments):
    parser = argparse.ArgumentParser()
    Score().add_subparser(parser.add_subparsers())
    args = parser.parse_args(["score", *map(str, arguments)])
    args.func(args)


def test_the_metrics_of_a_file_worked_by_hand(files, tmp_path, capsys):
    output = tmp_path / "scores.json"
    score(*files(GOLD, WRONG_LABEL), "--output", output, "--samples", 200)
    metrics = json.loads(output.read_text())
    values = {name: metric["values"] for name, metric in metrics.items()}
    # Three arcs in either, two tops among them.
    assert values["labelled F1"] == pytest.approx([2 / 3])
    assert values["unlabelled F1"] == [1]
    assert values["labelled exact match"] == [1 / 2]
    assert values["labelled without tops F1"] == [0]
    interval = metrics["labelled F1"]["intervals"][0]
    # A sample has the first sentence twice, once, or never: F1 is 1/2, 2/3 or 1.
    assert interval == pytest.approx({"low": 1 / 2, "high": 1})
    printed = capsys.readouterr().out
    assert "labelled F1" in printed and " 66.67 [50.00, 100.00]" in printed


def test_a_file_beside_itself_is_right_and_beside_a_copy_there_is_no_difference(files):
    gold, system, copy = files(GOLD, NO_ARC, NO_ARC)
    assert {metric.values[0] for metric in score_files(gold, [gold], "sdp", 100).values()} == {1}
    compared = score_files(gold, [system, copy], "sdp", 100)["labelled F1"]
    assert compared.difference == (0, 0, 0) and compared.p == 1


def test_two_systems_are_compared_in_pairs(files, capsys):
    # Of 8 sentences of which either has two right arcs and the second a third one.
    gold, first, second = files(GOLD * 8, NO_ARC * 8, GOLD * 8)
    compared = score_files(gold, [first, second], "sdp", 2000)["labelled F1"]
    # First: 16 arcs of 24; the F1 is 32 / 40.
    assert compared.values == pytest.approx([32 / 40, 1])
    assert compared.difference[0] == pytest.approx(8 / 40)
    assert 0 < compared.difference[1] < 8 / 40 < compared.difference[2]
    # As large only if all 8 that differ are exchanged, or none is.
    assert compared.p == pytest.approx(2 * 2**-8, abs=0.006)
    score(gold, first, second, "--samples", 200)
    assert "+20.00 [" in capsys.readouterr().out


def test_the_interval_is_that_of_a_bootstrap_by_hand(files):
    gold, system = files(GOLD * 6, NO_ARC * 2 + GOLD * 4)
    metric = score_files(gold, [system], "sdp", 4000)["labelled F1"]
    random = numpy.random.default_rng(9)
    # Of each pair of sentences: arcs predicted, gold, in common.
    rows = numpy.array([[1, 2, 1], [1, 1, 1]] * 2 + [[2, 2, 2], [1, 1, 1]] * 4)
    totals = rows[random.integers(0, 12, (4000, 12))].sum(axis=1)
    samples = 2 * totals[:, 2] / (totals[:, 0] + totals[:, 1])
    assert metric.intervals[0] == pytest.approx(numpy.percentile(samples, [2.5, 97.5]), abs=0.02)


def test_standard_input_is_read_once_for_both_systems(files, monkeypatch, tmp_path):
    first, second = files(NO_ARC, WRONG_LABEL)
    text = (HEADER + GOLD).encode()
    outputs = [tmp_path / "piped.json", tmp_path / "named.json"]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(text)))
    score("-", first, second, "--format", "sdp", "--samples", 200, "--output", outputs[0])
    gold = tmp_path / "gold.sdp"
    gold.write_bytes(text)
    score(gold, first, second, "--samples", 200, "--output", outputs[1])
    piped, named = (json.loads(output.read_text()) for output in outputs)
    assert piped == named
    # Gold has three arcs and tops. The first system has two of them and no other, the second two
    # and a wrong one.
    assert piped["labelled F1"]["values"] == pytest.approx([4 / 5, 2 / 3])


@pytest.mark.parametrize("paths", [("-", "-"), ("-", "a", "-"), ("a", "-", "-")])
def test_standard_input_is_one_file_only(paths):
    with pytest.raises(ConfigurationError, match="Two of the files are -.*Write it into a file"):
        score(*paths, "--format", "sdp")


def test_trees_and_enhanced_graphs_of_conllu_worked_by_hand(files):
    gold, system = files(CONLLU, OTHER_CONLLU, suffix=".conllu")
    metrics = score_files(gold, [system], "conll", 100)
    values = {name: metric.values[0] for name, metric in metrics.items()}
    assert values["UAS"] == values["LAS"] == pytest.approx(2 / 3)
    # Gold has four enhanced dependencies, the system three, two are in common.
    assert values["ELAS"] == pytest.approx(4 / 7)
    assert values["ELAS recall"] == 2 / 4 and values["ELAS precision"] == pytest.approx(2 / 3)


def test_without_deps_there_is_no_elas(files):
    plain = "1\tGo\t_\t_\t_\t_\t0\troot\t_\t_\n\n"
    gold, system = files(plain, plain, suffix=".conll")
    metrics = score_files(gold, [system], "conll", 100)
    assert "ELAS" not in metrics and metrics["LAS"].values == [1]


def test_systems_are_compared_by_the_layers_that_both_have(files, tmp_path, caplog):
    without_deps = re.sub(r"\t[^\t]*\t_$", "\t_\t_", OTHER_CONLLU, flags=re.MULTILINE)
    without_heads = re.sub(r"\t\d\t\w+\t([^\t]*\t_)$", r"\t_\t_\t\1", CONLLU, flags=re.MULTILINE)
    texts = [text * 4 for text in (CONLLU, OTHER_CONLLU, without_deps, without_heads)]
    gold, other, no_deps, no_heads = files(*texts, suffix=".conllu")
    for systems in ([other, no_deps], [no_deps, other]):
        caplog.clear()
        output = tmp_path / "scores.json"
        score(gold, *systems, "--samples", 200, "--output", output)
        scores = json.loads(output.read_text())
        assert scores["UAS"]["values"] == pytest.approx([2 / 3, 2 / 3]) and "ELAS" not in scores
        assert scores["UAS"]["difference"] == {"value": 0, "low": 0, "high": 0}
        assert f"{no_deps} has no DEPS: no ELAS." in caplog.messages
    metrics = score_files(gold, [no_heads, other], "conll", 200)
    assert metrics["ELAS"].values == pytest.approx([1, 4 / 7]) and "UAS" not in metrics
    with pytest.raises(ConfigurationError, match="nothing to score.*each needs HEAD"):
        score_files(gold, [no_heads, no_deps], "conll", 200)


def test_what_does_not_fit_is_refused_with_file_line_and_way_out(files, tmp_path):
    gold, other, short = files(GOLD, GOLD.replace("Kim", "Sam"), GOLD[: GOLD.index("1\tGo")])
    with pytest.raises(ConfigurationError, match=r"1\.sdp:2: token 1 .*'Sam', but 'Kim'.*0\.sdp:2"):
        score(gold, other)
    with pytest.raises(ConfigurationError, match=r"0\.sdp:5: the sentence 2 .*2\.sdp, which ends"):
        score(gold, short)
    with pytest.raises(ConfigurationError, match=r"none\.sdp: there is no such file"):
        score(gold, tmp_path / "none.sdp")
    with pytest.raises(ConfigurationError, match="--format sdp"):
        score(tmp_path / "gold", gold)
    with pytest.raises(ConfigurationError, match="--output .* is a folder"):
        score(gold, gold, "--output", tmp_path)
    with pytest.raises(ConfigurationError, match="100 at least"):
        score(gold, gold, "--samples", 10)
    (damaged,) = files(GOLD.replace("+\t+", "+\t?"))
    with pytest.raises(ConfigurationError, match=r"0\.sdp:3"):
        score(damaged, damaged)


def test_heads_that_are_missing_from_some_words_are_an_error(files):
    partial = CONLLU.replace("\t2\txcomp", "\t_\txcomp")
    paths = files(CONLLU + partial, CONLLU + partial, suffix=".conllu")
    with pytest.raises(
        ConfigurationError, match=r"0\.conllu:5: a word of this sentence has no head"
    ):
        score(*paths)


def test_synthetic_gold_has_the_format_of_the_system():
    assert format_of("synthetic:size=3,seed=3", "parsed.sdp") == "sdp"
    assert format_of("synthetic:size=3,seed=3", "parsed.conllu") == "conll"


def test_an_error_in_a_file_advises_nothing_that_this_command_cannot_do(files):
    gold, damaged = files(GOLD, GOLD.replace("\t+\t+\t", "\t+\t?\t"))
    with pytest.raises(ConfigurationError, match=f"{damaged}:3: .*pred") as raised:
        score(gold, damaged)
    assert "on_error" not in str(raised.value)
