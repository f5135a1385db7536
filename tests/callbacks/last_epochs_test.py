import pytest
from allennlp.common.checks import ConfigurationError

from spigot_allennlp.callbacks.last_epochs import LastEpochs


def metrics_after(callback, *accuracies):
    """Ends an epoch for each of them; in that of `None` there is no validation."""
    metrics = {}
    for epoch, accuracy in enumerate(accuracies):
        callback.on_batch(None, [], [], {}, epoch, 1, is_training=True)
        metrics.update(training_accuracy=1.0, epoch=epoch)
        if accuracy is not None:
            callback.on_batch(None, [], [], {}, epoch, 1, is_training=False)
            metrics["validation_accuracy"] = accuracy
        callback.on_epoch(None, metrics, epoch)
    return metrics


def test_the_mean_is_over_the_last_epochs():
    metrics = metrics_after(LastEpochs("nowhere", number=2), 0.1, 0.5, 0.7)
    assert metrics["mean_of_last_2_validation_accuracy"] == pytest.approx(0.6)
    assert not any("training" in name for name in metrics if name.startswith("mean"))


def test_fewer_epochs_are_all_there_is():
    metrics = metrics_after(LastEpochs("nowhere"), 0.2, 0.4)
    assert metrics["mean_of_last_20_validation_accuracy"] == pytest.approx(0.3)


def test_an_epoch_without_a_validation_does_not_count():
    # The trainer's metrics have those of the last validation until the next.
    metrics = metrics_after(LastEpochs("nowhere", number=4), 0.0, None, None, 1.0)
    assert metrics["mean_of_last_4_validation_accuracy"] == pytest.approx(0.5)


def test_a_run_that_is_resumed_where_there_is_no_validation_has_the_mean_all_the_same():
    first, second = LastEpochs("nowhere"), LastEpochs("nowhere")
    metrics_after(first, 0.2, 0.4)
    second.load_state_dict(first.state_dict())
    assert metrics_after(second, None)["mean_of_last_20_validation_accuracy"] == pytest.approx(0.3)


def test_a_run_that_is_resumed_remembers():
    first, second = LastEpochs("nowhere", number=2), LastEpochs("nowhere", number=2)
    metrics_after(first, 0.2, 0.4)
    second.load_state_dict(first.state_dict())
    assert metrics_after(second, 0.8)["mean_of_last_2_validation_accuracy"] == pytest.approx(0.6)


def test_none_at_all_is_refused():
    with pytest.raises(ConfigurationError, match="number must be at least 1 but is 0"):
        LastEpochs("nowhere", number=0)
