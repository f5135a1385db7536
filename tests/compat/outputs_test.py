"""A command looks at where it is to write; links, pipes and devices stay what they are."""

import os
import threading

import pytest
from allennlp.common.checks import ConfigurationError
from matplotlib.figure import Figure

from spigot_allennlp.compat.atomic_io import write
from spigot_allennlp.compat.outputs import check_figure, check_output, write_figure
from spigot_allennlp.compat.plain_errors import message_of


def test_what_cannot_be_written_is_refused_and_nothing_is_made(tmp_path):
    (tmp_path / "file").write_text("")
    for path, reason in (
        (tmp_path, "is a folder. Name a file in it"),
        (f"{tmp_path}/new/", "is a folder. Name a file in it"),
        (tmp_path / "file" / "a", "file is no folder"),
        (tmp_path / "file" / "a" / "b.json", "file is no folder"),
    ):
        with pytest.raises(ConfigurationError, match=f"^--output {path}.*{reason}") as raised:
            check_output(path)
        assert message_of(raised.value) is not None
    for path in (None, tmp_path / "file", tmp_path / "new" / "a.json", "name", os.devnull):
        check_output(path)
    assert os.listdir(tmp_path) == ["file"]


def test_a_folder_without_the_right_to_write_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(ConfigurationError, match="--plot .*: there is no right to write to"):
        check_output(tmp_path / "a.png", "--plot")


def test_a_figure_has_the_format_of_its_name(tmp_path):
    for name, start in (("a.png", b"\x89PNG"), ("a.SVG", b"<?xml"), ("a", b"\x89PNG")):
        check_figure(tmp_path / name)
        write_figure(Figure(), tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)
    with pytest.raises(ConfigurationError, match=r"--plot a.foo ends in '.foo'.*Take .png"):
        check_figure("a.foo", "--plot")
    with pytest.raises(ConfigurationError, match="is a folder"):
        check_figure(tmp_path)


def test_a_link_stays_and_its_target_is_written(tmp_path):
    for target in ("old", "new"):
        (tmp_path / f"{target}.link").symlink_to(target)
    (tmp_path / "old").write_text("before")
    for target in ("old", "new"):
        write(tmp_path / f"{target}.link", "after")
        assert (tmp_path / f"{target}.link").is_symlink()
        assert (tmp_path / target).read_text() == "after"
    assert len(os.listdir(tmp_path)) == 4


def test_a_pipe_stays_and_its_reader_gets_what_is_written(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write(pipe, "text")
    reader.join()
    assert read == ["text"] and pipe.is_fifo() and os.listdir(tmp_path) == ["pipe"]


def test_a_reader_that_has_ended_is_named(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: open(pipe).close())
    reader.start()
    with pytest.raises(BrokenPipeError) as raised:
        write(pipe, b"a" * 2**20)
    reader.join()
    assert message_of(raised.value) == f"{pipe}: Broken pipe. Its reader has ended."
