import argparse

import pytest
from allennlp.commands.subcommand import Subcommand
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.generate_treebank import GenerateTreebank, generate_treebank
from spigot_allennlp.compat.plain_errors import message_of
from spigot_allennlp.data.synthetic.treebank.treebank import synthetic_text

SIZES = {"train": 4, "dev": 2, "test": 0}


def run(*arguments):
    parser = argparse.ArgumentParser()
    GenerateTreebank().add_subparser(parser.add_subparsers())
    args = parser.parse_args(["generate-treebank", *map(str, arguments)])
    args.func(args)


def test_it_is_a_command_of_allennlp():
    assert Subcommand.by_name("generate-treebank") is GenerateTreebank


def test_each_part_is_written_in_each_layout(tmp_path, capsys):
    folder = tmp_path / "new" / "treebank"
    run(folder, "--train", 4, "--dev", 2, "--test", 0, "--seed", 7)
    assert sorted(path.name for path in folder.iterdir()) == (
        ["dev.conll", "dev.sdp", "dev.txt", "train.conll", "train.sdp", "train.txt"]
    )
    training = synthetic_text("synthetic:size=4,seed=7", "sdp")
    assert (folder / "train.sdp").read_bytes() == training.encode("utf-8")
    development = synthetic_text("synthetic:size=2,seed=8", "sst")
    assert (folder / "dev.txt").read_bytes() == development.encode("utf-8")
    assert f"       4 sentences  {folder / 'train.sdp'}\n" in capsys.readouterr().out


def test_layouts_can_be_chosen_and_have_files_of_their_own(tmp_path):
    layouts = ["sdp", "sdp2014", "sdp_augmented", "conllx", "conllu", "sst"]
    written = generate_treebank(tmp_path, {"train": 1, "dev": 0, "test": 1}, 1, layouts)
    assert len(written) == len(list(tmp_path.iterdir())) == 12


def test_nothing_is_overwritten_unless_it_is_forced(tmp_path):
    (tmp_path / "dev.sdp").write_text("mine")
    with pytest.raises(ConfigurationError, match="already there: .*dev.sdp.*--force"):
        run(tmp_path, "--train", 4, "--dev", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["dev.sdp"]
    assert (tmp_path / "dev.sdp").read_text() == "mine"
    run(tmp_path, "--train", 4, "--dev", 2, "--layouts", "sdp", "--force")
    assert (tmp_path / "dev.sdp").read_text().startswith("#SDP 2015\n#2-1\n")


@pytest.mark.parametrize(
    "sizes, seed, layouts, message",
    [
        (SIZES, 1, ["xml"], r"no such layout: \['xml'\]; those known are \['sdp', "),
        (SIZES, -1, ["sdp"], "negative number: seed is -1"),
        ({**SIZES, "dev": -2}, 1, ["sdp"], "negative number: .*'dev': -2.*--train, --dev"),
        (dict.fromkeys(SIZES, 0), 1, ["sdp"], "nothing to write: .*--train, --dev"),
        (SIZES, 1, [], "nothing to write: .*--layouts"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is(
    tmp_path, sizes, seed, layouts, message
):
    with pytest.raises(ConfigurationError, match=message) as raised:
        generate_treebank(tmp_path / "out", sizes, seed, layouts)
    assert message_of(raised.value) is not None
    assert not (tmp_path / "out").exists()
