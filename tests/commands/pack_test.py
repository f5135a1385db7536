"""`allennlp pack`: a folder with an archive, its card, and its entry."""

import argparse
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

import spigot_allennlp
from spigot_allennlp.commands.pack import PackCommand
from spigot_allennlp.compat.atomic_io import file_sha256
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.named_archives import INDEX, read_index
from tests.data.sample_files import SDP_2015
from tests.predictors.conftest import LengthClassifier, make_archive  # noqa: F401

METRICS = {
    "best_epoch": 3,
    "training_loss": 0.5,
    "best_validation_labelled_f1": 0.93678,
    "best_validation_loss": 1.25,
    "test_labelled_f1": 0.875,
}


@pytest.fixture
def run(make_archive, tmp_path, monkeypatch):  # noqa: F811
    """The folder of a training on a file of ten sentences, and one that is not there any more."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(INDEX, str(tmp_path / "user" / "index.json"))
    train = tmp_path / "secret" / "dm.train.sdp"
    train.parent.mkdir()
    shutil.copy(SDP_2015, train)
    archive = make_archive(
        train_data_path=str(train), validation_data_path=str(tmp_path / "secret" / "dm.dev.sdp")
    )
    folder = Path(archive).parent
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    return folder


def pack(*arguments):
    parser = argparse.ArgumentParser()
    PackCommand().add_subparser(parser.add_subparsers())
    args = parser.parse_args(["pack", *map(str, arguments)])
    args.func(args)


NAMED = ("--name", "dm", "--licence", "CC-BY-4.0", "--to", "packed/dm")


def test_the_folder_holds_the_archive_and_an_index_by_which_it_is_loaded(run, monkeypatch, capsys):
    pack(run, *NAMED)
    assert "packed/dm/index.json allennlp parse dm" in capsys.readouterr().out
    names = {file.name for file in Path("packed/dm").iterdir()}
    assert names == {"model.tar.gz", "README.md", "index.json"}
    archive = run / "model.tar.gz"
    assert json.loads(Path("packed/dm/index.json").read_text()) == {
        "dm": {
            "url": "model.tar.gz",
            "sha256": file_sha256(archive),
            "size": archive.stat().st_size,
            "licence": "CC-BY-4.0",
        }
    }
    monkeypatch.setenv(INDEX, "packed/dm/index.json")
    assert spigot_allennlp.load("dm").parse("We know it").tree.heads == [0, 1, 2]


def test_the_card_says_metrics_data_versions_licence_use_and_limits(run):
    limits = ("--limits", "No questions.", "--intended-use", "Courses.", "--description", "Small.")
    pack(run, *NAMED, *limits)
    card = Path("packed/dm/README.md").read_text(encoding="utf-8")
    for text in (
        "# dm\n\nSmall.\n",
        "| licence | CC-BY-4.0 |",
        file_sha256(run / "model.tar.gz"),
        "`chain_parser`, 1 parameters",
        "| packed with | spigot_allennlp",
        "allennlp 2.10.1",
        "## Intended use\n\nCourses.\n",
        "| train | dm.train.sdp | 10 |",
        "| validation | dm.dev.sdp | not counted (",
        "| best_validation_labelled_f1 | 0.9368 |",
        "| test_labelled_f1 | 0.8750 |",
        "No questions.",
        '"type": "chain_parser"',
    ):
        assert text in card
    # Neither what is of the training alone, nor the folders of whoever trained.
    assert "training_loss" not in card and "secret" not in card


def test_data_that_cannot_be_read_are_not_counted_and_packed_all_the_same(run, tmp_path):
    with (tmp_path / "secret" / "dm.train.sdp").open("a") as file:
        file.write("1\tGo\tgo\tVB\t?\t-\t_\n\n")
    pack(run, *NAMED)
    card = Path("packed/dm/README.md").read_text(encoding="utf-8")
    assert "| train | dm.train.sdp | not counted (MalformedInputError) |" in card


def test_a_registered_archive_is_found_by_its_name_from_anywhere(run, tmp_path, monkeypatch):
    pack(run, *NAMED, "--register")
    monkeypatch.chdir(tmp_path / "secret")
    assert spigot_allennlp.load("dm").parse("We know it").tokens == ["We", "know", "it"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="an entry 'dm' already.*packed/dm.*--replace"):
        pack(run, *NAMED[:-1], "packed/again", "--register")
    assert not Path("packed/again").exists()
    pack(run, "--name", "pas", *NAMED[2:-1], "packed/pas", "--register")
    pack(run, *NAMED[:-1], "packed/again", "--register", "--replace")
    index = read_index(tmp_path / "user" / "index.json")
    assert {name: entry.url for name, entry in index.items()} == {
        "dm": str(tmp_path / "packed" / "again"),
        "pas": str(tmp_path / "packed" / "pas"),
    }


def test_the_command_that_is_printed_can_be_typed(run, capsys):
    pack(run, *NAMED[:-1], "my models/dm")
    printed = capsys.readouterr().out.splitlines()[-1]
    variable, *command = shlex.split(printed)
    assert variable == f"{INDEX}=my models/dm/index.json"
    assert command == ["allennlp", "parse", "dm", "sentences.txt"]


OF_NO_USE = "It was trained on sentences made by rule, and is of no use for text."
MADE = "synthetic:size=3,seed=1"


@pytest.mark.parametrize(
    "train, dev, said, not_said",
    [
        (MADE, MADE, [OF_NO_USE], ["data are"]),
        (MADE, "own/dm.sdp", [OF_NO_USE], ["data are"]),
        (
            "own/dm.sdp",
            MADE,
            ["The validation data are, in part or all, made by rule."],
            ["use for"],
        ),
        (
            "synthetic_reviews/dm.sdp",
            "own/dm.sdp",
            ["| dm.sdp |"],
            ["by rule", "synthetic_reviews"],
        ),
        (
            {"syntax": MADE, "semantics": "own/dm.sdp"},
            "own/dm.sdp",
            ["For syntax, it was trained on sentences made by rule."],
            ["use for", "own/"],
        ),
    ],
)
def test_the_card_says_which_data_were_made_by_rule(
    make_archive,  # noqa: F811
    tmp_path,
    monkeypatch,
    train,
    dev,
    said,
    not_said,
):
    monkeypatch.chdir(tmp_path)
    archive = make_archive(train_data_path=train, validation_data_path=dev)
    Path(archive).with_name("metrics.json").write_text("{}")
    pack(Path(archive).parent, *NAMED)
    card = Path("packed/dm/README.md").read_text(encoding="utf-8")
    assert all(text in card for text in said) and not any(text in card for text in not_said)


def test_no_absolute_path_of_the_config_is_on_the_card(make_archive, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    secrets = {
        "a": "/home/secret/glove.txt",
        "b": ["~/secret/more.txt", {"c": "(/home/secret/all.zip)#glove.300d.txt"}],
        "d": "file:///home/secret/folder/",
        "e": "https://example.org/dm/vectors.gz",
        "f": "/",
    }
    archive = make_archive(train_data_path=MADE, evaluate_on_test=secrets)
    Path(archive).with_name("metrics.json").write_text("{}")
    pack(Path(archive).parent, *NAMED)
    card = Path("packed/dm/README.md").read_text(encoding="utf-8")
    (config,) = re.findall(r"```json\n(.*?)```", card, re.DOTALL)
    assert json.loads(config)["evaluate_on_test"] == {
        "a": "glove.txt",
        "b": ["more.txt", {"c": "(all.zip)#glove.300d.txt"}],
        "d": "folder",
        "e": "https://example.org/dm/vectors.gz",
        "f": "/",
    }
    assert "secret" not in card


def test_a_classifier_of_sentences_is_packed_and_no_other_model(
    make_archive,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    monkeypatch.chdir(tmp_path)
    archive = make_archive(model={"type": "length_classifier"}, train_data_path=MADE)
    Path(archive).with_name("metrics.json").write_text("{}")
    pack(Path(archive).parent, *NAMED)
    assert "To classify sentences" in Path("packed/dm/README.md").read_text(encoding="utf-8")
    monkeypatch.setattr(LengthClassifier, "default_predictor", "spiking")
    with pytest.raises(ConfigurationError, match="'length_classifier', which reads no sentences"):
        pack(Path(archive).parent, *NAMED[:-1], "packed/other")
    assert not Path("packed/other").exists()


def test_an_address_stands_in_the_entry(run):
    pack(run, *NAMED, "--url", "https://example.org/dm/model.tar.gz")
    url = json.loads(Path("packed/dm/index.json").read_text())["dm"]["url"]
    assert url == "https://example.org/dm/model.tar.gz"


def test_what_cannot_be_packed_is_refused_before_anything_is_written(run, tmp_path):
    Path("used").mkdir()
    Path("used/file").touch()
    for arguments, message in (
        ((run, *NAMED[:-1], "used"), "used is there already, and not empty"),
        ((run, "--name", "a/b", *NAMED[2:]), "--name 'a/b'"),
        ((run, *NAMED, "--replace"), "add --register"),
        ((run, *NAMED[:3], " ", *NAMED[4:]), "--licence is empty"),
        ((run, *NAMED, "--url", ""), "--url is ''. It has to be an address or a path"),
        ((run, *NAMED, "--url", "ftp://x/y"), "--url begins with ftp:. Take https:"),
        ((run, *NAMED, "--url", "file://x/y"), "--url is on the machine x"),
        ((tmp_path / "modle", *NAMED), "not the folder of a training.*but 'model'"),
    ):
        with pytest.raises(ConfigurationError, match=message) as raised:
            pack(*arguments)
        assert message_of(raised.value) is not None
    for content, message in (("{", "metrics.json is no JSON.*--recover"), ("[]", "no object")):
        (run / "metrics.json").write_text(content)
        with pytest.raises(ConfigurationError, match=message) as raised:
            pack(run, *NAMED)
        assert message_of(raised.value) is not None
    (run / "metrics.json").unlink()
    with pytest.raises(ConfigurationError, match="metrics.json is not there"):
        pack(run, *NAMED)
    (run / "metrics.json").write_text("{}")
    (run / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        pack(run, *NAMED)
    assert not Path("packed").exists() and not Path("user").exists()


def test_of_several_tasks_the_sentences_of_each_are_counted(make_archive, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.chdir(tmp_path)
    archive = make_archive(
        dataset_reader={
            "type": "multitask",
            "readers": {"semantics": {"type": "sdp"}, "syntax": {"type": "conll"}},
        },
        validation_dataset_reader={"type": "sdp"},
        train_data_path={"semantics": MADE, "syntax": "synthetic:size=3,seed=1"},
        validation_data_path="synthetic:size=2,seed=2",
    )
    Path(archive).with_name("metrics.json").write_text("{}")
    pack(Path(archive).parent, *NAMED, "--licence", "one\ntwo | three")
    card = Path("packed/dm/README.md").read_text(encoding="utf-8")
    size = re.search(r"size=(\d+)", MADE)[1]
    assert f"| semantics: {size}, syntax: 3 |" in card
    assert "| validation | synthetic:size=2,seed=2 | 2 |" in card
    assert "\n| licence | one two \\| three |\n" in card
