"""`allennlp pack`: a folder with an archive, its card, and its entry."""

import argparse
import json
import shutil
from pathlib import Path

import pytest
from allennlp.common.checks import ConfigurationError

import spigot_allennlp
from spigot_allennlp.commands.pack import PackCommand
from spigot_allennlp.named_archives import INDEX, file_sha256, read_index
from tests.data.sample_files import SDP_2015

METRICS = {
    "best_epoch": 3,
    "training_loss": 0.5,
    "best_validation_labelled_f1": 0.93678,
    "best_validation_loss": 1.25,
    "test_labelled_f1": 0.875,
}


@pytest.fixture
def run(make_archive, tmp_path, monkeypatch):
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


def test_a_registered_archive_is_found_by_its_name_from_anywhere(run, tmp_path, monkeypatch):
    pack(run, *NAMED, "--register")
    monkeypatch.chdir(tmp_path / "secret")
    assert spigot_allennlp.load("dm").parse("We know it").tokens == ["We", "know", "it"]
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="another entry 'dm'.*packed/dm.*--name"):
        pack(run, *NAMED[:-1], "packed/again", "--register")
    pack(run, "--name", "pas", *NAMED[2:-1], "packed/pas", "--register")
    assert list(read_index(tmp_path / "user" / "index.json")) == ["dm", "pas"]


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
        ((run, *NAMED[:3], " ", *NAMED[4:]), "--licence is empty"),
        ((tmp_path / "modle", *NAMED), "not the folder of a training.*but 'model'"),
    ):
        with pytest.raises(ConfigurationError, match=message):
            pack(*arguments)
    (run / "metrics.json").unlink()
    with pytest.raises(ConfigurationError, match="metrics.json is not there"):
        pack(run, *NAMED)
    (run / "metrics.json").write_text("{}")
    (run / "model.tar.gz").write_bytes(b"no archive")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        pack(run, *NAMED)
    assert not Path("packed").exists() and not Path("user").exists()
