"""What is stored of a run: records of ablations that have begun are read and written again."""

import json

import pytest

from spigot_allennlp.ablation.run.run_record import RunRecord
from spigot_allennlp.ablation.run.single_run import Run

# As the first version wrote it.
STORED = {
    "variant": "spigot",
    "seed": 2,
    "config": "d8e7af87f78db673",
    "state": "done",
    "attempts": [{"host": "h", "process": 1, "started": 0.0, "seconds": 2.5, "cpu_seconds": 1.5}],
    "seconds_testing": 0.5,
    "peak_memory_mb": 486.0,
    "peak_gpu_memory_mb": None,
    "metrics": {"best_epoch": 1},
    "test": {
        "data": "test",
        "key": "test_data_path",
        "instances": 10,
        "figures": {"accuracy": 0.5},
        "sources": {},
    },
    "message": "",
    "versions": {"python": "3.11"},
    "files": {"train.jsonl": "d8e7af87f78db673"},
}


def test_a_record_is_written_under_the_keys_under_which_it_was_read(tmp_path):
    (tmp_path / "cell.json").write_text(json.dumps(STORED))
    record = RunRecord.load(tmp_path)
    assert (record.config_digest, record.test_metrics) == ("d8e7af87f78db673", {"accuracy": 0.5})
    (tmp_path / "cell.json").unlink()
    record.save(tmp_path)
    stored = json.loads((tmp_path / "cell.json").read_text())
    assert stored == STORED and list(stored) == list(STORED)
    del stored["files"]  # as in a record of an earlier version
    (tmp_path / "cell.json").write_text(json.dumps(stored))
    assert RunRecord.load(tmp_path).files == {}


@pytest.mark.parametrize("content", ["3", "[]", '"x"', "{}", "null", '{"config": 1}'])
def test_a_record_of_another_form_counts_as_none(tmp_path, content):
    (tmp_path / "cell.json").write_text(content)
    assert RunRecord.load(tmp_path) is None


@pytest.mark.parametrize(
    "option, config, expected",
    [
        ("a", {"test_data_path": "b", "validation_data_path": "c"}, ("a", "--test-data")),
        (None, {"test_data_path": "b", "validation_data_path": "c"}, ("b", "test_data_path")),
        (None, {"validation_data_path": "c"}, ("c", "validation_data_path")),
        (None, {}, None),
    ],
)
def test_test_data_are_those_of_the_option_or_the_config(tmp_path, option, config, expected):
    assert Run(tmp_path, "a", 1, config, test_data=option).find_test_data() == expected
