import argparse
import shlex

import pytest
from allennlp.commands.subcommand import Subcommand
from allennlp.common import Params
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.commands.configs import Configs
from spigot_allennlp.compat.installed_configs import PREFIX, folder, names

NAME = "syntactic_then_semantic/spigot.jsonnet"


def run(*arguments):
    parser = argparse.ArgumentParser()
    Configs().add_subparser(parser.add_subparsers())
    args = parser.parse_args(["configs", *map(str, arguments)])
    args.func(args)


def test_all_are_listed_with_a_line_each(capsys):
    assert Subcommand.by_name("configs") is Configs
    run()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [PREFIX + name for name in names()]


def test_words_choose(capsys):
    run("SPIGOT", "sentiment")
    lines = capsys.readouterr().out.splitlines()
    assert lines and all("sentiment" in line.lower() for line in lines)
    with pytest.raises(ConfigurationError, match="nothing like that"):
        run("nothing like that")


def test_a_copy_is_whole_and_may_be_edited(tmp_path, capsys):
    run("--copy", NAME, "--to", tmp_path)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == str(tmp_path / NAME)
    assert printed[-1] == f"To train it: allennlp train {tmp_path / NAME} -s runs/spigot"
    copied = Params.from_file(str(tmp_path / NAME)).as_dict()
    assert copied == Params.from_file(str(folder() / NAME)).as_dict()
    assert not (tmp_path / "common" / "spiking_mlp.libsonnet").exists()  # it is not imported


def test_what_was_edited_is_not_overwritten(tmp_path):
    run("--copy", PREFIX + NAME, "--to", tmp_path)
    run("--copy", NAME, "--to", tmp_path)  # the same once more
    edited = tmp_path / "common" / "trainer.libsonnet"
    edited.write_text("{}")
    with pytest.raises(ConfigurationError, match="common/trainer.libsonnet.*--to"):
        run("--copy", NAME, "--to", tmp_path)
    assert edited.read_text() == "{}"


def test_a_misspelt_name_is_answered_with_those_alike(tmp_path):
    with pytest.raises(ConfigurationError, match=f"Alike: {NAME}"):
        run("--copy", NAME.replace("spigot", "spigt"), "--to", tmp_path)
    with pytest.raises(ConfigurationError, match="no config '../setup.cfg'"):
        run("--copy", "../setup.cfg", "--to", tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_command_that_trains_a_copy_is_one_for_a_shell(tmp_path, capsys):
    run("--copy", NAME, "--to", tmp_path / "a b")
    words = shlex.split(capsys.readouterr().out.splitlines()[-1].partition(": ")[2])
    assert words == ["allennlp", "train", str(tmp_path / "a b" / NAME), "-s", "runs/spigot"]
