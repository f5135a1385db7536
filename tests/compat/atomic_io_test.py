"""Files that are written all at once."""

import errno
import os

import pytest
from allennlp.common import Params
from allennlp.common.meta import Meta
from allennlp.common.util import dump_metrics
from allennlp.data import Vocabulary

from spigot_allennlp.compat import atomic_io


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    atomic_io.write(tmp_path / "new" / "file", "old")
    atomic_io.write(tmp_path / "new" / "file", "né")
    assert (tmp_path / "new" / "file").read_text(encoding="utf-8") == "né"
    assert os.listdir(tmp_path / "new") == ["file"]


WRITERS = {
    "metrics": lambda path: dump_metrics(str(path), {"a": 1}),
    "config": lambda path: Params({"a": 1}).to_file(str(path)),
    "meta": lambda path: Meta("2.10.1").to_file(path),
    "json": lambda path: atomic_io.write_json(path, {"a": 1}),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_leaves_the_file_as_it_was_and_is_named(tmp_path, monkeypatch, writer):
    file = tmp_path / "file.json"
    WRITERS[writer](file)
    before = file.read_bytes()

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as raised:
        WRITERS[writer](file)
    assert raised.value.filename == str(file)
    assert file.read_bytes() == before and os.listdir(tmp_path) == ["file.json"]


def test_two_that_write_the_same_file_at_once_do_not_write_into_each_others(tmp_path):
    file = tmp_path / "file"
    with atomic_io.replacing(file) as first, atomic_io.replacing(file) as second:
        for name in (first, second):
            with open(name, "x") as new:
                new.write(name)
        assert {first, second} == set(map(str, atomic_io.unfinished(tmp_path)))
    assert file.read_text() == first and os.listdir(tmp_path) == ["file"]


def test_a_vocabulary_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    vocabulary = Vocabulary({"tokens": {"a": 2}, "labels": {"x": 1}})
    vocabulary._retained_counter = {"tokens": {"a": 2}}
    monkeypatch.setattr(os, "rename", lambda *names: os._exit)
    monkeypatch.setattr(os, "fsync", lambda descriptor: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        vocabulary.save_to_files(tmp_path / "vocabulary")
    assert os.listdir(tmp_path) == []
    monkeypatch.undo()
    vocabulary.save_to_files(tmp_path / "vocabulary")
    (tmp_path / "vocabulary" / "other.txt").write_text("mine")
    vocabulary.save_to_files(tmp_path / "vocabulary")
    names = {"tokens.txt", "labels.txt", "non_padded_namespaces.txt", ".counts.json", "other.txt"}
    assert names <= set(os.listdir(tmp_path / "vocabulary"))
    assert atomic_io.unfinished(tmp_path) == []


def test_what_killed_processes_left_is_removed_and_nothing_else(tmp_path):
    for name in (".a.json.12.new", ".hidden", "a.12.new", "b"):
        (tmp_path / name).write_text("")
    (tmp_path / ".vocabulary.13.new").mkdir()
    atomic_io.remove_unfinished(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "a.12.new", "b"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_json_that_was_cut_off_is_not_whole(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    assert not atomic_io.holds_json(tmp_path / "a.json")
    assert not atomic_io.is_whole_zip(tmp_path / "a.json")
