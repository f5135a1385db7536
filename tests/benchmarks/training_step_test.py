import time

from benchmarks.training_step import training_step


def test_a_step_with_spigot_is_compared_with_one_of_the_pipeline():
    metric = training_step(time.process_time, num_batches=1, rounds=1)
    assert metric.row == "training_step" and metric.value > 0
    assert "ms with pipeline" in metric.detail and "ms with spigot" in metric.detail
