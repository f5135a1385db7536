"""`allennlp parse` on archives that need no training."""

import argparse
import gzip
import io
import json
import lzma
import os
import re
import sys
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.parse import ParseCommand, format_of_input
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.data.formats.conll import scan_conll
from spigot_allennlp.data.formats.sdp import scan_sdp
from spigot_allennlp.data.formats.source import Source, as_source
from tests.data.sample_files import (
    AUGMENTED,
    CONLLU,
    SDP_2014,
    SDP_2015,
    SST,
    SST_COLUMNS,
    SST_LINES,
    records_of,
)
from tests.predictors.conftest import ChainParser, without_words


@pytest.fixture
def parse(make_archive, tmp_path, capsys):
    """Runs the command, and returns what it writes; `standard_input` is bytes."""
    archive = make_archive()

    def run(*arguments, model=archive, standard_input=None):
        parser = argparse.ArgumentParser()
        ParseCommand().add_subparser(parser.add_subparsers())
        args = parser.parse_args(["parse", model, *map(str, arguments)])
        with pytest.MonkeyPatch.context() as patch:
            if standard_input is not None:
                stream = io.TextIOWrapper(io.BytesIO(standard_input))
                patch.setattr(sys, "stdin", stream)
            args.func(args)
        return capsys.readouterr().out if args.output is None else open(args.output).read()

    return run


def chains(length):
    return {
        "tree": {"heads": list(range(length)), "labels": ["dep"] * length},
        "graph": {"arcs": [[i, i + 1, "ARG1"] for i in range(1, length)], "tops": [1]},
    }


def test_text_on_standard_input_becomes_json_lines(parse):
    written = parse(standard_input="We know it .\n\nÜber uns .\n".encode())
    first, second = map(json.loads, written.splitlines())
    assert first["tokens"] == ["We", "know", "it", "."] and second["tokens"][0] == "Über"
    assert {name: first[name] for name in ("tree", "graph")} == chains(4)


def test_tokens_and_objects_are_told_from_text_by_the_first_line(parse, tmp_path):
    file = tmp_path / "input"
    file.write_text('["We know", "it"]\n{"words": ["Go"], "id": 7}\n{"sentence": "It rains"}\n')
    parsed = list(map(json.loads, parse(file).splitlines()))
    assert [output["tokens"] for output in parsed] == [["We know", "it"], ["Go"], ["It", "rains"]]
    assert parsed[1]["id"] == "7"


def test_a_compressed_file_is_read(parse, tmp_path):
    file = tmp_path / "input.txt.xz"
    file.write_bytes(lzma.compress(b"It rains\n"))
    assert json.loads(parse(file))["tokens"] == ["It", "rains"]


@pytest.mark.parametrize("source, scan", [(SDP_2015, scan_sdp), (CONLLU, scan_conll)])
def test_a_treebank_is_parsed_into_each_format(parse, tmp_path, source, scan):
    gold = list(records_of(scan(source)))
    words = [
        [token.form for token in getattr(sentence, "words", sentence.tokens)] for sentence in gold
    ]
    parse(source, "--output", tmp_path / "parsed.sdp")
    written = list(records_of(scan_sdp(tmp_path / "parsed.sdp")))
    assert [[token.form for token in sentence.tokens] for sentence in written] == words
    assert [sentence.identifier for sentence in written] == [
        sentence.identifier for sentence in gold
    ]
    parse(source, "--output", tmp_path / "parsed.conllu")
    written = list(records_of(scan_conll(tmp_path / "parsed.conllu")))
    assert [[word.head for word in sentence.words] for sentence in written] == [
        list(range(len(row))) for row in words
    ]
    parsed = parse(source, "--format", "json", "--limit", 1).splitlines()
    assert [json.loads(line)["tokens"] for line in parsed] == words[:1]


@contextmanager
def piped(content):
    """Gives the block the path of a pipe that holds some bytes."""
    read, write = os.pipe()
    try:
        with os.fdopen(write, "wb") as stream:
            stream.write(content)
        yield f"/dev/fd/{read}"
    finally:
        os.close(read)


@pytest.mark.parametrize(
    "file, options",
    [
        (SDP_2015, ()),
        (CONLLU, ("--input-format", "conll")),
        (SDP_2014, ("--input-format", "sdp")),
        (SST, ()),
        (CONLLU, ("--input-format", "conll", "--gold", "--format", "html")),
    ],
)
def test_what_can_be_read_once_is_read_whole(parse, file, options):
    def without_name(written):
        return re.sub("Parses of .*", "", written)

    expected = without_name(parse(file, *options))
    with piped(file.read_bytes()) as pipe:
        assert without_name(parse(pipe, *options)) == expected
    with piped(lzma.compress(file.read_bytes())) as pipe:
        assert without_name(parse(pipe, *options)) == expected
    assert without_name(parse("-", *options, standard_input=file.read_bytes())) == expected


def test_no_line_of_a_pipe_is_lost(parse):
    text = "".join(f"Sentence {number} is here .\n" for number in range(1, 1001))
    with piped(text.encode()) as pipe:
        parsed = list(map(json.loads, parse(pipe).splitlines()))
    assert [output["tokens"][1] for output in parsed] == list(map(str, range(1, 1001)))


def test_gold_and_prediction_are_drawn_together(parse, tmp_path):
    page = parse(AUGMENTED, "--gold", "--output", tmp_path / "page.html")
    assert page.count("<figure>") == len(list(scan_sdp(AUGMENTED)))
    assert 'class="arc gold"' in page and 'class="arc predicted"' in page
    page = parse(AUGMENTED, "--output", tmp_path / "plain.html")
    assert 'class="arc gold"' not in page and 'class="arc tree"' in page
    graphs = parse(CONLLU, "--gold", "--output", tmp_path / "conllu.html")
    assert 'class="arc gold"' in graphs


def test_one_sentence_is_drawn_as_svg_and_more_are_refused(parse, tmp_path):
    file = tmp_path / "picture.svg"
    ElementTree.fromstring(parse("--output", file, standard_input=b"It rains .\n"))
    file.unlink()
    with pytest.raises(ConfigurationError, match=r"one sentence.*\.html.*--limit 1"):
        parse("--output", file, standard_input=b"It rains .\nIt pours .\n")
    assert not file.exists()


def test_an_error_has_file_line_and_way_out(parse, tmp_path):
    file = tmp_path / "input.jsonl"
    file.write_text('\n["Go"]\n["Go", 3]\n{"words": ["x"]}\n')
    with pytest.raises(ConfigurationError) as raised:
        parse(file)
    assert f"{file}:3: entry 2 of " in str(raised.value) and "--on-error skip" in str(raised.value)
    parsed = parse(file, "--on-error", "skip", "--output", tmp_path / "out.json").splitlines()
    assert [json.loads(line)["tokens"] for line in parsed] == [["Go"], ["x"]]


def test_a_sentence_that_is_too_long_is_left_out_or_ends_it(parse, tmp_path):
    file = tmp_path / "long.txt"
    file.write_bytes(b"Go\n" + b"x " * 1200 + b"\nStop\n")
    with pytest.raises(ConfigurationError, match=r"long\.txt:2: the sentence has 1200 words"):
        parse(file)
    output = tmp_path / "parses.json"
    assert len(parse(file, "--on-error", "skip", "--output", output).splitlines()) == 2
    arguments = ("--predictor-args", '{"max_words": 1200}')  # as the message says
    assert len(parse(file, *arguments, "--output", output).splitlines()) == 3


def test_a_damaged_treebank_is_an_error_with_its_line(parse, tmp_path):
    file = tmp_path / "bad.sdp"
    good = "1\tGo\tgo\tVB\t+\t-\t_\n\n"
    file.write_text(f"#SDP 2015\n{good}1\tGo\tgo\tVB\t?\t-\t_\n\n{good}")
    with pytest.raises(ConfigurationError, match=r"bad\.sdp:4"):
        parse(file)
    output = tmp_path / "parses.json"
    assert len(parse(file, "--on-error", "skip", "--output", output).splitlines()) == 2


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["no_such_file.txt"], "no_such_file.txt: there is no such file"),
        (["--output", "parses.pdf"], "ends in '.pdf'.*--format"),
        (["--gold", "--output", "page.html"], "--gold needs trees or graphs"),
        ([SDP_2015, "--gold"], r"--gold is for pictures.*allennlp score"),
        (["--predictor-args", "{"], "--predictor-args is no JSON"),
        (["--predictor-args", "[]"], "no JSON object"),
        (["--limit", "0"], "--limit is 0; take 1 at least"),
        (["--limit", "-1"], "--limit is -1; take 1 at least"),
        (["--threshold", "0.4"], "ChainParser gives its arcs no probabilities"),
        (["--threshold", "2"], r"threshold must be in \(0, 1\)"),
        (["--probabilities"], "ChainParser gives its arcs no probabilities"),
        (["--minimum-risk"], "ChainParser"),
        (["--probabilities", "--format", "sdp"], "--probabilities cannot be written as sdp"),
        (["--predictor-args", '{"language": "xx_nope"}'], "'xx_nope' is not installed"),
        (["--predictor-args", '{"foo": 1}'], "no option 'foo', but arc_probabilities, "),
        (["--predictor-args", '{"max_word": 1}'], "Perhaps you mean max_words"),
        (["--predictor-args", '{"max_words": "many"}'], "max_words is 'many'.*a whole number"),
        (["--predictor-args", '{"max_words": true}'], "max_words is True"),
        (["--predictor-args", '{"minimum_risk": "no"}'], "minimum_risk is 'no'.*true or false"),
        (["--predictor-args", '{"max_words": 0}'], "max_words must be at least 1"),
        (["--predictor-args", '{"task": "x"}'], "task is 'x'"),
        (["--predictor-args", '{"tokenizer": "nope"}'], "nope"),
        (["--predictor-args", '{"tokenizer": 5}'], "cannot be made with the options"),
        (["--predictor-args", '{"output": "sdp"}'], "has output.*--input-format, --format"),
        (["--predictor-args", '{"on_error": "report"}'], "--on-error"),
        (["synthetic:size=x"], "size"),
    ],
)
def test_what_does_not_go_together_is_refused(parse, arguments, reason):
    with pytest.raises(ConfigurationError, match=reason) as raised:
        parse(*arguments, standard_input=b"Go\n")
    assert message_of(raised.value) is not None


@pytest.mark.parametrize(
    "content, reason",
    [
        ("We know it .".encode("utf-16"), "UTF-16"),
        (gzip.compress(b"We know it .\n" * 3000)[:40], "a damaged"),
        (None, "It is a folder, where a file is needed"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--input-format", "text"), ("--input-format", "conll")])
def test_a_file_that_cannot_be_read_ends_in_a_line(parse, tmp_path, content, reason, options):
    if content is None:
        (tmp_path / "input").mkdir()
    else:
        (tmp_path / "input").write_bytes(content)
    with pytest.raises((ValueError, OSError, ConfigurationError)) as raised:
        parse(tmp_path / "input", *options)
    line = message_of(raised.value)
    assert line is not None and str(tmp_path / "input") in line
    assert reason in line or "compressed" in line


def test_a_link_and_a_pipe_are_written_to_and_stay(parse, tmp_path):
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    parse("--output", tmp_path / "link.json", standard_input=b"Go\n")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["tokens"] == ["Go"]


def test_where_nothing_can_be_written_nothing_is_parsed(parse, tmp_path, seen):
    for output in (tmp_path, tmp_path / "file" / "x.json"):
        (tmp_path / "file").touch()
        with pytest.raises(ConfigurationError, match="is a folder|is no folder"):
            parse("--output", output, "--format", "json", standard_input=b"Go\n")
    assert seen == []


def test_nothing_in_is_an_error(parse):
    with pytest.raises(ConfigurationError, match="No sentence was parsed"):
        parse(standard_input=b"\n \n")


def test_a_classifier_shows_its_graph_and_sentiment_but_no_other_graph(make_archive, parse):
    config = {"model": {"type": "length_classifier"}, "dataset_reader": {"type": "sst"}}
    model = make_archive(**config)
    parsed = json.loads(parse(model=model, standard_input=b"What a fine film\n"))
    assert parsed["sentiment"]["label"] == "positive"
    with pytest.raises(ConfigurationError, match="classifier.*Leave threshold out"):
        parse("--threshold", "0.4", model=model, standard_input=b"Go\n")


@pytest.mark.parametrize("arguments", [(), ("--on-error", "skip")])
def test_an_output_without_words_ends_in_a_line_with_the_way_out(parse, monkeypatch, arguments):
    monkeypatch.setattr(ChainParser, "make_output_human_readable", without_words)
    with pytest.raises(ConfigurationError) as raised:
        parse(*arguments, standard_input=b"Go\nStop\n")
    line = message_of(raised.value)
    assert line is not None and "no words. Its forward has to return the metadata" in line
    assert "--on-error" not in line  # it would leave out all


def test_names_of_files_say_their_format():
    def of_name(name):
        return format_of_input(Source(name, io.BytesIO))

    assert of_name("a/test.sdp.gz") == "sdp"
    assert of_name("test.conllu") == of_name("test.conll") == "conll"
    assert of_name("synthetic:size=3,seed=1") == "sdp"
    assert of_name("lines.jsonl") == "json"
    assert of_name("nothing") == "text"


@pytest.mark.parametrize("name", ["train.txt", "train", "train.data"])
def test_the_first_line_of_a_treebank_says_its_format(tmp_path, name):
    for line, expected in (
        ("(3 (2 It) (4 (2 is) (3 good)))", "sst"),
        ("#SDP 2015", "sdp"),
        ("(3) It rains", "text"),
    ):
        source = Source(str(tmp_path / name), lambda line=line: io.BytesIO(line.encode()))
        assert format_of_input(source) == expected
    row = "1\tIt\t_\t_\t_\t_"
    first_lines = [row, "# sent_id = 1", "# text = It rains", "# newdoc id = a"]
    first_lines += [f"#20001001\n{row}", f"\n# a\n# b\n\n{row}", "# global.columns = ID FORM HEAD"]
    first_lines += ["1-2\tIt's\t_\t_\t_\t_", "1\tIt\t_\t_"]
    for line in first_lines:
        source = Source(str(tmp_path / name), lambda line=line: io.BytesIO(line.encode()))
        with pytest.raises(ConfigurationError, match="looks like a treebank.*--input-format"):
            format_of_input(source)


def test_text_may_begin_with_a_number_sign_or_hold_tabs():
    for text in ("# A heading\nIt rains\n", "#hashtag\n", "It\train\ts\n", "# SDP\n", ""):
        assert (
            format_of_input(Source("text", lambda text=text: io.BytesIO(text.encode()))) == "text"
        )


def test_sentiment_in_columns_is_recognised_and_in_lines_the_format_is_asked_for(parse):
    assert format_of_input(as_source(SST_COLUMNS)) == "sst"
    with pytest.raises(ConfigurationError, match="label and text.*--input-format sst"):
        parse(SST_LINES)


def test_a_line_of_many_brackets_is_an_error_with_its_line(parse):
    with pytest.raises(ConfigurationError, match="standard input:1: .*nested too deeply"):
        parse("--input-format", "json", standard_input=b"[" * 100_000)


def test_an_error_is_shown_once_with_its_line_in_the_file(parse, caplog, tmp_path):
    file = tmp_path / "input.txt"
    file.write_text("\nGo\n\na b c d\n")
    parse(file, "--on-error", "skip", "--predictor-args", '{"max_words": 3}')
    shown = [record.getMessage() for record in caplog.records if "max_words" in record.getMessage()]
    assert len(shown) == 1 and f"{file}:4: " in shown[0]


def test_the_summary_names_the_file_and_counts_one_sentence(parse, tmp_path):
    output = tmp_path / "parsed.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr := io.StringIO())
        parse("--output", output, standard_input=b"Go\n")
    summary = stderr.getvalue().splitlines()[-1]
    assert re.fullmatch(r"1 sentence parsed \(\d+ a second\), written to .*parsed.json", summary)
