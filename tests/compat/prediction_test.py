"""Tests what `allennlp predict` writes and shows, and that an unfinished file is named so."""

import os
import threading

import pytest
from allennlp.commands.predict import _PredictManager
from allennlp.common.checks import ConfigurationError


class Reversing:
    """A predictor that knows no line that begins with "bad"."""

    def load_line(self, line):
        return {"line": line.strip()}

    def predict_json(self, inputs):
        if inputs["line"].startswith("bad"):
            raise ValueError(inputs["line"])
        return inputs["line"][::-1]

    def dump_line(self, output):
        return f"{output}\n"


def predict(folder, lines, output):
    (folder / "input").write_text("\n".join(lines))
    _PredictManager(Reversing(), str(folder / "input"), str(output), 1, False, False).run()


def test_predictions_that_came_to_their_end_have_their_name_alone(tmp_path):
    (tmp_path / "output").write_text("old")
    predict(tmp_path, ["ab", "cd"], tmp_path / "output")
    assert (tmp_path / "output").read_text() == "ba\ndc\n"
    assert sorted(os.listdir(tmp_path)) == ["input", "output"]


def test_a_predictor_learns_once_that_there_is_no_more_input(tmp_path, monkeypatch):
    finished = []
    monkeypatch.setattr(
        Reversing, "finish", lambda self: finished.append(os.listdir(tmp_path)), raising=False
    )
    predict(tmp_path, ["ab", "cd"], tmp_path / "output")
    assert list(map(sorted, finished)) == [["input", "output"]]  # the predictions are safe by then


def test_predictions_that_ended_in_the_middle_are_partial_and_not_lost(tmp_path, caplog):
    (tmp_path / "output").write_text("old")
    with pytest.raises(ValueError, match="bad"):
        predict(tmp_path, ["ab", "bad", "cd"], tmp_path / "output")
    assert (tmp_path / "output").read_text() == "old"
    assert (tmp_path / "output.partial").read_text() == "ba\n"
    assert f"The predictions up to here are in {tmp_path / 'output.partial'}." in caplog.text
    predict(tmp_path, ["ab"], tmp_path / "output")
    assert sorted(os.listdir(tmp_path)) == ["input", "output"]


def test_a_link_stays_one(tmp_path):
    (tmp_path / "target").write_text("")
    (tmp_path / "output").symlink_to(tmp_path / "target")
    predict(tmp_path, ["ab"], tmp_path / "output")
    assert (tmp_path / "output").is_symlink() and (tmp_path / "target").read_text() == "ba\n"


def test_a_pipe_is_written_to_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    read = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    predict(tmp_path, ["ab"], tmp_path / "pipe")
    reader.join()
    assert read == ["ba\n"] and sorted(os.listdir(tmp_path)) == ["input", "pipe"]


@pytest.mark.parametrize("is_silent", (True, False))
def test_an_instance_is_made_a_text_only_to_be_shown(is_silent, tmp_path, capsys):
    class Reading(Reversing):
        class _dataset_reader:
            read = staticmethod(lambda path: map(Input, ("ab", "cd", "ef")))

        predict_batch_instance = staticmethod(
            lambda batch: [instance.text[::-1] for instance in batch]
        )
        predict_instance = staticmethod(lambda instance: instance.text[::-1])

    class Input:
        def __init__(self, text):
            self.text = text

        def __str__(self):
            asked.append(self.text)
            return self.text

    asked = []
    output = tmp_path / "output"
    _PredictManager(Reading(), "input", str(output), 2, not is_silent, True).run()
    assert output.read_text() == "ba\ndc\nfe\n"
    assert asked == ([] if is_silent else ["ab", "cd", "ef"])
    assert ("input 2:  ef" in capsys.readouterr().out) is not is_silent


def test_the_folder_of_the_output_is_made(tmp_path):
    predict(tmp_path, ["ab"], tmp_path / "new" / "folder" / "output")
    assert (tmp_path / "new" / "folder" / "output").read_text() == "ba\n"


def test_an_output_that_cannot_be_written_is_named_with_its_option(tmp_path):
    for output in (tmp_path, tmp_path / "input" / "output"):
        with pytest.raises(ConfigurationError, match=f"--output-file {output}.* is .*folder"):
            predict(tmp_path, ["ab"], output)
