"""
Evaluates a model on test data, and keeps what every instance adds to its metrics, so that the
report can compute the metrics of any selection of instances without the model.
"""

import importlib
import logging
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypedDict,
)

import numpy
import torch
from allennlp.data import Batch, DatasetReader, Instance
from allennlp.models import Model
from allennlp.nn.util import move_to_device

from spigot_allennlp.callbacks.metric_states import find_metrics, to_plain
from spigot_allennlp.compat.atomic_io import is_whole_zip, replacing
from spigot_allennlp.metrics.counting_metric import CountingMetric

logger = logging.getLogger(__name__)

# Records name the classes of counting metrics. Those that were renamed or moved since, by the full
# name that is in records, with the full name of today.
MOVED_CLASSES: Dict[str, str] = {
    "spigot_allennlp.metrics.graph_change.GraphChange": (
        "spigot_allennlp.metrics.graph_difference.GraphDifference"
    ),
}


# Where a metric comes from that follows from counts. A run's record keeps it under these names: the
# `place` of the counting metric in the model, its full `class` name, its settings (`attributes`),
# and by which name it returns the metric (`figure`).
MetricSource = TypedDict(
    "MetricSource", {"place": str, "figure": str, "class": str, "attributes": Dict[str, Any]}
)


@dataclass
class InstanceEvaluation:
    """
    The metrics of a model on test data, and what every instance adds to them.

    # Parameters

    metrics : `Dict[str, float]`, optional (default = `{}`)
        The metrics over all instances.
    counts : `Dict[str, numpy.ndarray]`, optional (default = `{}`)
        What each instance adds to the counts of a counting metric, shape
        `(num_instances, num_counts)`, by the place of that metric in the model.
    values : `Dict[str, numpy.ndarray]`, optional (default = `{}`)
        The metrics that follow from no counts, of each instance alone, shape `(num_instances,)`;
        NaN where an instance has none.
    sources : `Dict[str, MetricSource]`, optional (default = `{}`)
        The sources of the metrics that follow from counts.
    """

    metrics: Dict[str, float] = field(default_factory=dict)
    counts: Dict[str, numpy.ndarray] = field(default_factory=dict)
    values: Dict[str, numpy.ndarray] = field(default_factory=dict)
    sources: Dict[str, MetricSource] = field(default_factory=dict)

    @property
    def num_instances(self) -> int:
        return max(map(len, [*self.counts.values(), *self.values.values()]), default=0)

    def save(self, file: Path) -> None:
        """Writes the arrays "counts PLACE" and "values METRIC", which `read_scores` reads."""
        arrays: Dict[str, Any] = {f"counts {place}": rows for place, rows in self.counts.items()}
        arrays.update({f"values {name}": values for name, values in self.values.items()})
        with replacing(file) as new, open(new, "wb") as stream:
            numpy.savez_compressed(stream, **arrays)


def evaluate_instances(model: Model, instances: Iterable[Instance]) -> InstanceEvaluation:
    """
    Evaluates a model on one instance after another. Our counting metrics are functions of counts
    that add up, so that the metrics of any selection of instances follow from what is returned.
    Other metrics are read for each instance alone, and then, in a second pass, for all together.
    """
    instances = list(instances)
    if not instances:
        return InstanceEvaluation()
    counting = dict(counting_metrics(model))
    counts: Dict[str, List[numpy.ndarray]] = {place: [] for place in counting}
    metrics_alone: List[Dict[str, float]] = []  # the model's, of each instance
    counted_alone: List[Dict[str, Dict[str, float]]] = []  # the counting metrics', by their places
    for number, loss in enumerate(_run_alone(model, instances), start=1):
        for place, metric in counting.items():
            counts[place].append(metric.counts.cpu().numpy())
        counted_alone.append({place: metric.get_metric() for place, metric in counting.items()})
        # The metrics are asked once more below, and some raise if they have seen nothing by then:
        # so the last instance stays in them.
        metrics_alone.append({**loss, **model.get_metrics(reset=number < len(instances))})
    evaluation = InstanceEvaluation(
        counts={place: numpy.stack(rows) for place, rows in counts.items()}
    )
    for place, metric in counting.items():
        metric.reset()
        metric.add(torch.from_numpy(evaluation.counts[place].sum(axis=0)))
    evaluation.metrics = model.get_metrics()
    evaluation.sources = find_sources(evaluation.metrics, counting, metrics_alone, counted_alone)
    model.get_metrics(reset=True)
    names = dict.fromkeys(name for values in metrics_alone for name in values)
    others = [name for name in names if name not in evaluation.sources]
    evaluation.values = {
        name: numpy.array([float(values.get(name, numpy.nan)) for values in metrics_alone])
        for name in others
    }
    if set(others) - {"loss"}:
        for _ in _run_alone(model, instances):
            pass  # the metrics count
        evaluation.metrics.update(model.get_metrics(reset=True))
    if "loss" in evaluation.values:
        losses = [values["loss"] for values in metrics_alone if "loss" in values]
        evaluation.metrics["loss"] = float(numpy.mean(losses))  # NaN if that of any instance is
    return evaluation


def read_instances(reader: DatasetReader, data: Any) -> Iterator[Instance]:
    """Reads the instances of a file, or, by a multitask reader, of a file for each task."""
    if isinstance(data, dict):
        parts = (reader.read(path, force_task=task) for task, path in data.items())  # type: ignore
        return chain.from_iterable(parts)
    return iter(reader.read(data))


def _run_alone(model: Model, instances: Iterable[Instance]) -> Iterator[Dict[str, float]]:
    """
    Runs the model on each instance alone, by which its metrics count the instance, and yields the
    `loss`, if there is one.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    model.eval()
    for instance in instances:
        batch = Batch([instance])
        batch.index_instances(model.vocab)
        with torch.no_grad():
            output = model(**move_to_device(batch.as_tensor_dict(), device))
        loss = output.get("loss")
        yield {} if loss is None else {"loss": float(loss)}


def counting_metrics(model: Model) -> Iterator[Tuple[str, CountingMetric]]:
    """Finds each counting metric of a model once, also within lists and dictionaries."""
    seen = set()
    for place, value in find_metrics(model):
        members = value if isinstance(value, (list, tuple)) else [value]
        by_key = value.items() if isinstance(value, dict) else enumerate(members)
        for key, metric in by_key:
            if isinstance(metric, CountingMetric) and id(metric) not in seen:
                seen.add(id(metric))
                yield f"{place}.{key}".lstrip("."), metric


def find_sources(
    metrics: Dict[str, float],
    counting: Dict[str, CountingMetric],
    metrics_alone: Sequence[Dict[str, float]] = (),
    counted_alone: Sequence[Dict[str, Dict[str, float]]] = (),
) -> Dict[str, MetricSource]:
    """
    Finds the counting metric from which each metric of the model comes: one that returns a metric
    of the same name, or of the end of it ("f1" for "semantic_f1"), and of the same value, over all
    instances and for each instance alone. Of several the longest name decides, then the first.

    # Parameters

    metrics : `Dict[str, float]`
        The model's metrics over all instances.
    counting : `Dict[str, CountingMetric]`
        The counting metrics by their places in the model; they have counted all instances.
    metrics_alone : `Sequence[Dict[str, float]]`, optional (default = `()`)
        The model's metrics on each instance.
    counted_alone : `Sequence[Dict[str, Dict[str, float]]]`, optional (default = `()`)
        What the counting metrics return of the same instances, by their places.
    """
    counted = {place: metric.get_metric() for place, metric in counting.items()}
    sources: Dict[str, MetricSource] = {}
    for model_name, model_value in metrics.items():
        candidates = [
            (place, name)
            for place, values in counted.items()
            for name, value in values.items()
            if value == model_value
            and (model_name == name or model_name.endswith(f"_{name}"))
            and all(
                name not in of_instance[place]
                or of_instance[place][name] == of_model.get(model_name)
                for of_model, of_instance in zip(metrics_alone, counted_alone, strict=True)
            )
        ]
        if not candidates:
            continue
        place, name = max(candidates, key=lambda candidate: len(candidate[1]))
        metric_class = type(counting[place])
        sources[model_name] = {
            "place": place,
            "figure": name,
            "class": f"{metric_class.__module__}.{metric_class.__qualname__}",
            "attributes": to_plain(counting[place].settings()),
        }
    return sources


@dataclass(frozen=True)
class InstanceScores:
    """
    What is needed to compute a metric over any selection of the test instances of a run.

    # Parameters

    rows : `numpy.ndarray`
        What each instance adds to the counts, shape `(num_instances, num_counts)`: floating-point
        numbers, whose products are fast, also where they are integers.
    metric_of : `Callable[[numpy.ndarray], numpy.ndarray]`
        Computes from sums of rows, shape `(n, num_counts)`, the metric of each, shape `(n,)`.
    is_exact : `bool`
        Whether the metric over the sum of all rows is that of all instances. It is not where an
        instance's own value of a metric says nothing of its part in the whole: that of an F1, say,
        which was not counted by a `CountingMetric`.
    """

    rows: numpy.ndarray
    metric_of: Callable[[numpy.ndarray], numpy.ndarray]
    is_exact: bool

    def metric_of_all(self) -> float:
        """Returns the metric over all instances."""
        return float(self.metric_of(self.rows.sum(axis=0, keepdims=True))[0])


def read_scores(
    file: Path, metric: str, value: float, source: Optional[MetricSource]
) -> Optional[InstanceScores]:
    """
    Reads the scores of a metric that the test of a run has written.

    # Parameters

    file : `Path`
        Written by `InstanceEvaluation.save`.
    metric : `str`
    value : `float`
        The metric over all instances, as it was tested.
    source : `MetricSource`, optional
        The source of the metric, if it follows from counts.

    # Returns

    `Optional[InstanceScores]`
        `None` if there is no file, it is damaged, or there is nothing of the metric in it.
    """
    if not is_whole_zip(file):
        if file.exists():
            logger.warning(
                "%s is damaged: the report does without it. The command that trained the run tests "
                "it again.",
                file,
            )
        return None
    with numpy.load(file) as arrays:
        if source:
            rows = arrays[f"counts {source['place']}"].astype(float)
            metric_of = metric_from_counts(source)
        elif f"values {metric}" in arrays:
            rows, metric_of = with_presence(arrays[f"values {metric}"]), mean_of_present
        else:
            return None
    scores = InstanceScores(rows, metric_of, is_exact=False)
    return replace(
        scores, is_exact=bool(numpy.isclose(scores.metric_of_all(), value, rtol=1e-6, atol=1e-9))
    )


def metric_from_counts(source: MetricSource) -> Callable[[numpy.ndarray], numpy.ndarray]:
    """Makes a counting metric again, from its class and its settings, and returns its function."""
    metric = counting_metric_class(source["class"]).from_settings(source["attributes"])

    def value_of(counts: List[int]) -> float:
        metrics = metric.compute_metrics(counts) if any(counts) else {}
        return metrics.get(source["figure"], numpy.nan)

    return lambda totals: numpy.array([value_of(row) for row in totals.astype(int).tolist()])


def counting_metric_class(name: str) -> Type[CountingMetric]:
    """Returns the class that had this full name when the record was written."""
    module, _, attribute = MOVED_CLASSES.get(name, name).rpartition(".")
    metric_class = getattr(importlib.import_module(module), attribute)
    assert issubclass(metric_class, CountingMetric), f"{name} was a CountingMetric"
    return metric_class


def with_presence(values: numpy.ndarray) -> numpy.ndarray:
    """Makes rows of a value and a 1, of two zeros for NaN: shape `(num_instances, 2)`."""
    present = ~numpy.isnan(values)
    return numpy.stack([numpy.where(present, values, 0.0), present], axis=1)


def mean_of_present(totals: numpy.ndarray) -> numpy.ndarray:
    """Divides sums of `with_presence`, shape `(n, 2)`: means of shape `(n,)`, NaN of no values."""
    total, number = totals.T
    return numpy.where(number > 0, total / numpy.maximum(number, 1), numpy.nan)
