"""
Evaluates a model on test data, and stores what each instance adds to its metrics. The report can
then compute the metrics of any selection of instances without the model.
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

# Records name the classes of counting metrics. This maps the full names of classes that have since
# been renamed or moved to their current full names.
MOVED_CLASSES: Dict[str, str] = {
    "spigot_allennlp.metrics.graph_change.GraphChange": (
        "spigot_allennlp.metrics.graph_difference.GraphDifference"
    ),
}


# The source of a metric that is computed from counts. A run's record stores it under these names:
# the `place` of the counting metric in the model, its full `class` name, its settings
# (`attributes`), and its name for the metric (`figure`).
MetricSource = TypedDict(
    "MetricSource", {"place": str, "figure": str, "class": str, "attributes": Dict[str, Any]}
)


@dataclass
class InstanceEvaluation:
    """
    The metrics of a model on test data, and what each instance adds to them.

    # Parameters

    metrics : `Dict[str, float]`, optional (default = `{}`)
        The metrics over all instances.
    counts : `Dict[str, numpy.ndarray]`, optional (default = `{}`)
        What each instance adds to the counts of a counting metric, shape
        `(num_instances, num_counts)`, by the place of the metric in the model.
    values : `Dict[str, numpy.ndarray]`, optional (default = `{}`)
        The metrics that are not computed from counts, for each instance alone, shape
        `(num_instances,)`; NaN if an instance has no value.
    sources : `Dict[str, MetricSource]`, optional (default = `{}`)
        The sources of the metrics that are computed from counts.
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
    Evaluates a model on one instance after another. Our counting metrics are functions of additive
    counts, so the metrics of any selection of instances can be computed from the result. Other
    metrics are read for each instance alone and then, in a second pass, for all together.
    """
    instances = list(instances)
    if not instances:
        return InstanceEvaluation()
    counting = dict(counting_metrics(model))
    counts: Dict[str, List[numpy.ndarray]] = {place: [] for place in counting}
    metrics_alone: List[Dict[str, float]] = []  # the model's metrics for each instance
    counted_alone: List[Dict[str, Dict[str, float]]] = []  # those of the counting metrics, by place
    for number, loss in enumerate(_run_alone(model, instances), start=1):
        for place, metric in counting.items():
            counts[place].append(metric.counts.cpu().numpy())
        counted_alone.append({place: metric.get_metric() for place, metric in counting.items()})
        # The metrics are read again below, and some raise an error if they have seen nothing. So
        # the last instance stays in them.
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
            pass  # the metrics do the counting
        evaluation.metrics.update(model.get_metrics(reset=True))
    if "loss" in evaluation.values:
        losses = [values["loss"] for values in metrics_alone if "loss" in values]
        evaluation.metrics["loss"] = float(numpy.mean(losses))  # NaN if any instance has NaN
    return evaluation


def read_instances(reader: DatasetReader, data: Any) -> Iterator[Instance]:
    """Reads the instances of a file or, with a multitask reader, of a file for each task."""
    if isinstance(data, dict):
        parts = (reader.read(path, force_task=task) for task, path in data.items())  # type: ignore
        return chain.from_iterable(parts)
    return iter(reader.read(data))


def _run_alone(model: Model, instances: Iterable[Instance]) -> Iterator[Dict[str, float]]:
    """
    Runs the model on each instance alone, so that its metrics count the instance, and yields the
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
    """Finds each counting metric of a model once, including those in lists and dictionaries."""
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
    Finds the counting metric that is the source of each metric of the model: one that returns a
    metric with the same name, or the end of it ("f1" for "semantic_f1"), and the same value, over
    all instances and for each instance alone. Among several, the longest name wins, then the first.

    # Parameters

    metrics : `Dict[str, float]`
        The model's metrics over all instances.
    counting : `Dict[str, CountingMetric]`
        The counting metrics by their places in the model, after counting all instances.
    metrics_alone : `Sequence[Dict[str, float]]`, optional (default = `()`)
        The model's metrics on each instance.
    counted_alone : `Sequence[Dict[str, Dict[str, float]]]`, optional (default = `()`)
        The results of the counting metrics for the same instances, by place.
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
    The data to compute a metric over any selection of the test instances of a run.

    # Parameters

    rows : `numpy.ndarray`
        What each instance adds to the counts, shape `(num_instances, num_counts)`. These are
        floating-point numbers, even for integers, since their products are fast.
    metric_of : `Callable[[numpy.ndarray], numpy.ndarray]`
        Maps sums of rows, shape `(n, num_counts)`, to the metric of each, shape `(n,)`.
    is_exact : `bool`
        Whether the sum of all rows gives the metric of all instances. It does not if the value of
        single instances does not determine the metric of all: for example, an F1 that was not
        counted by a `CountingMetric`.
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
    Reads the scores of a metric that were written when a run was tested.

    # Parameters

    file : `Path`
        Written by `InstanceEvaluation.save`.
    metric : `str`
    value : `float`
        The metric over all instances, from the test.
    source : `MetricSource`, optional
        The source of the metric, if it is computed from counts.

    # Returns

    `Optional[InstanceScores]`
        `None` if the file is missing or damaged, or does not have the metric.
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
    """Recreates a counting metric from its class and its settings, and returns its function."""
    metric = counting_metric_class(source["class"]).from_settings(source["attributes"])

    def value_of(counts: List[int]) -> float:
        metrics = metric.compute_metrics(counts) if any(counts) else {}
        return metrics.get(source["figure"], numpy.nan)

    return lambda totals: numpy.array([value_of(row) for row in totals.astype(int).tolist()])


def counting_metric_class(name: str) -> Type[CountingMetric]:
    """Returns the class with this full name at the time when the record was written."""
    module, _, attribute = MOVED_CLASSES.get(name, name).rpartition(".")
    metric_class = getattr(importlib.import_module(module), attribute)
    assert issubclass(metric_class, CountingMetric), f"{name} was a CountingMetric"
    return metric_class


def with_presence(values: numpy.ndarray) -> numpy.ndarray:
    """Makes rows of a value and a 1, or of two zeros for NaN: shape `(num_instances, 2)`."""
    present = ~numpy.isnan(values)
    return numpy.stack([numpy.where(present, values, 0.0), present], axis=1)


def mean_of_present(totals: numpy.ndarray) -> numpy.ndarray:
    """
    Divides sums of `with_presence`, shape `(n, 2)`, into means of shape `(n,)`; NaN for no values.
    """
    total, number = totals.T
    return numpy.where(number > 0, total / numpy.maximum(number, 1), numpy.nan)
