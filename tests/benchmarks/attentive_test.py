import math
import sys

import pytest
import torch

from benchmarks.attentive import Sizes, attentive_steps, growth, measure_peak, peaks, speeds


def test_growth_is_that_between_the_two_longest():
    assert growth({100: 5, 300: 250, 200: 50}) == 2
    assert math.isnan(growth({100: 5}))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_full_backpropagation_keeps_what_windows_do_not():
    assert measure_peak("full", 600) > 2 * measure_peak("truncated", 600)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be reset on Linux alone")
def test_sizes_reach_the_process_that_measures_a_peak():
    by_window = [
        peaks(["truncated"], [600], Sizes(batch_size=32, window=window))["truncated"][600]
        for window in (10, 600)
    ]
    assert by_window[1] > 2 * by_window[0]


def test_encoders_are_timed_in_turns():
    rates = speeds(["truncated", "nn.LSTM"], length=12, budget=0.01)
    assert list(rates) == ["truncated", "nn.LSTM"] and min(rates.values()) > 0


def test_the_row_compares_with_a_loop_and_restores_the_threads():
    threads = torch.get_num_threads()
    metrics = attentive_steps(budget=0.01, length=20)
    assert [metric.label for metric in metrics] == ["scored: last ten", "scored: all"]
    assert all(metric.value > 0 and "nn.LSTMCell" in metric.detail for metric in metrics)
    assert torch.get_num_threads() == threads
