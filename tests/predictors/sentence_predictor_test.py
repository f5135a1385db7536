"""Which reader of several makes the instances; the rest is tested with the predictors."""

import json

import pytest
from allennlp.common.checks import ConfigurationError
from allennlp.predictors import Predictor

from tests.predictors.predict_command import lines, predict, predictor_args

CLASSIFIER = {"type": "length_classifier"}
TREES = "(3 (2 Go) (3 on))\n"
BOTH = {"type": "multitask", "readers": {"sentiment": "sst", "semantics": "sdp"}}
OTHERS = {"type": "multitask", "readers": {"films": "sst", "semantics": "sdp"}}


def words(output):
    return [json.loads(line)["words"] for line in output.splitlines()]


def test_the_default_task_is_chosen_where_there_is_one(make_archive, tmp_path):
    archive = make_archive(dataset_reader=BOTH, model=CLASSIFIER)
    assert words(predict(archive, tmp_path, lines({"sentence": "Go on"}))) == [["Go", "on"]]


def test_a_task_that_is_not_there_is_named_with_those_that_are(make_archive):
    archive = make_archive(dataset_reader=OTHERS, model=CLASSIFIER)
    with pytest.raises(ConfigurationError, match=r"\['films', 'semantics'\], and task is None"):
        Predictor.from_path(archive)
    with pytest.raises(ConfigurationError, match="task is 'sentiment'"):
        Predictor.from_path(archive, task="sentiment")
    assert Predictor.from_path(archive, task="films").predict("Go")["words"] == ["Go"]


def test_a_file_is_read_by_the_reader_of_the_task(make_archive, tmp_path):
    command = make_archive(dataset_reader=BOTH, model=CLASSIFIER), tmp_path
    assert words(predict(*command, TREES, "--use-dataset-reader")) == [["Go", "on"]]
    text = "#SDP 2015\n#1\n1\tGo\tgo\tVB\t+\t-\t_\n\n"
    options = "--use-dataset-reader", *predictor_args(task="semantics")
    assert words(predict(*command, text, *options)) == [["Go"]]
