import time

from benchmarks.training_step import training_step


def test_a_step_with_spigot_is_compared_with_one_of_the_pipeline():
    figure = training_step(time.process_time, num_batches=1, rounds=1)
    assert figure.row == "training_step" and figure.value > 0
    assert "ms with pipeline" in figure.detail and "ms with spigot" in figure.detail
