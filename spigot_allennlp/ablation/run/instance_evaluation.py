"""
What every test instance adds to a model's metrics, so that the metrics of any selection of
instances follow without the model: measured, written, and read again for the report.
"""

import importlib
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Tuple, Type

import numpy
import torch
from allennlp.data import Batch, DatasetReader, Instance
from allennlp.models import Model
from allennlp.nn.util import move_to_device

from spigot_allennlp.callbacks.metric_states import find_metrics, to_plain
from spigot_allennlp.compat.atomic_io import replacing
from spigot_allennlp.metrics.counting_metric import CountingMetric

# Where a counting metric is now that was elsewhere when records were written: full class names.
MOVED_CLASSES: Dict[str, str] = {
    "spigot_allennlp.metrics.graph_change.GraphChange": (
        "spigot_allennlp.metrics.graph_difference.GraphDifference"
    ),
}


@dataclass
class InstanceEvaluation:
    """
    The metrics of a model on test data, and what every instance adds to them.

    # Parameters

    metrics : `Dict[str, float]`
        Over all instances.
    counts : `Dict[str, numpy.ndarray]`
        By the place of a counting metric in the model: what each instance adds to its counts, shape
        `(num_instances, num_counts)`.
    values : `Dict[str, numpy.ndarray]`
        The metrics that follow from no counts, of each instance alone, shape `(num_instances,)`;
        NaN where an instance has none.
    sources : `Dict[str, Dict[str, Any]]`
        Which counting metric the other metrics come from: its `place` in the model, its `class`,
        its settings, here called `attributes`, and which `figure` of it the metric is. A run's
        record keeps them under these names.
    """

    metrics: Dict[str, float] = field(default_factory=dict)
    counts: Dict[str, numpy.ndarray] = field(default_factory=dict)
    values: Dict[str, numpy.ndarray] = field(default_factory=dict)
    sources: Dict[str, Dict[str, Any]] = field(default_factory=dict)

    @property
    def num_instances(self) -> int:
        return max(map(len, [*self.counts.values(), *self.values.values()]), default=0)

    def save(self, file: Path) -> None:
        """Writes the arrays, "counts PLACE" and "values METRIC", which `read_scores` reads."""
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
    alone = []
    for number, loss in enumerate(_losses(model, instances), start=1):
        for place, metric in counting.items():
            counts[place].append(metric.counts.cpu().numpy())
        # Some metrics raise where they have seen nothing, so that the last is not forgotten yet.
        alone.append({**loss, **model.get_metrics(reset=number < len(instances))})
    evaluation = InstanceEvaluation(
        counts={place: numpy.stack(rows) for place, rows in counts.items()}
    )
    for place, metric in counting.items():
        metric.reset()
        metric.add(torch.from_numpy(evaluation.counts[place].sum(axis=0)))
    evaluation.metrics = model.get_metrics()
    evaluation.sources = sources_of(evaluation.metrics, counting)
    model.get_metrics(reset=True)
    names = dict.fromkeys(name for values in alone for name in values)
    others = [name for name in names if name not in evaluation.sources]
    evaluation.values = {
        name: numpy.array([float(values.get(name, numpy.nan)) for values in alone])
        for name in others
    }
    if set(others) - {"loss"}:
        for _ in _losses(model, instances):
            pass
        evaluation.metrics.update(model.get_metrics(reset=True))
    if "loss" in evaluation.values:
        evaluation.metrics["loss"] = float(numpy.nanmean(evaluation.values["loss"]))
    return evaluation


def read_instances(reader: DatasetReader, data: Any) -> Iterator[Instance]:
    """Reads the instances of a file, or, by a multitask reader, of a file for each task."""
    if isinstance(data, dict):
        parts = (reader.read(path, force_task=task) for task, path in data.items())  # type: ignore
        return chain.from_iterable(parts)
    return iter(reader.read(data))


def _losses(model: Model, instances: Iterable[Instance]) -> Iterator[Dict[str, float]]:
    """Runs the model on each instance alone, and yields its `loss`, if there is one."""
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


def sources_of(
    metrics: Dict[str, float], counting: Dict[str, CountingMetric]
) -> Dict[str, Dict[str, Any]]:
    """
    Finds the counting metric behind each metric of the model: the one with a figure of that name,
    or whose name is the end of it, and of that value.
    """
    sources: Dict[str, Dict[str, Any]] = {}
    for place, counter in counting.items():
        class_path = f"{type(counter).__module__}.{type(counter).__qualname__}"
        settings = to_plain(counter.settings())
        for figure, value in counter.get_metric().items():
            for name, total in metrics.items():
                if (name == figure or name.endswith(f"_{figure}")) and total == value:
                    source = {"place": place, "figure": figure, "class": class_path}
                    sources.setdefault(name, {**source, "attributes": settings})
    return sources


@dataclass(frozen=True)
class InstanceScores:
    """
    A metric over any selection of the test instances of a run.

    # Parameters

    rows : `numpy.ndarray`
        Shape `(num_instances, num_counts)`: what each instance adds to the counts. Floating-point
        numbers, whose products are fast, also where they are integers.
    metric_of : `Callable[[numpy.ndarray], numpy.ndarray]`
        From sums of rows, shape `(n, num_counts)`, to the metric of each, shape `(n,)`.
    is_exact : `bool`
        Whether the metric over the sum of all rows is that of all instances. It is not where an
        instance's own value of a metric says nothing of its part in the whole: that of an F1, say,
        which was not counted by a `CountingMetric`.
    """

    rows: numpy.ndarray
    metric_of: Callable[[numpy.ndarray], numpy.ndarray]
    is_exact: bool

    def over_all(self) -> float:
        """Returns the metric over all instances."""
        return float(self.metric_of(self.rows.sum(axis=0, keepdims=True))[0])


def read_scores(
    file: Path, metric: str, value: float, source: Optional[Dict[str, Any]]
) -> Optional[InstanceScores]:
    """
    Reads what the test of a run kept of a metric.

    # Parameters

    file : `Path`
        Written by `InstanceEvaluation.save`.
    metric : `str`
    value : `float`
        The metric over all instances, as the test found it.
    source : `Dict[str, Any]`, optional
        That of the metric (see `InstanceEvaluation`), if it follows from counts.

    # Returns

    `Optional[InstanceScores]`
        `None` if there is no file, or nothing of the metric in it.
    """
    if not file.exists():
        return None
    with numpy.load(file) as arrays:
        if source:
            rows = arrays[f"counts {source['place']}"].astype(float)
            metric_of = metric_of_counts(source)
        elif f"values {metric}" in arrays:
            rows, metric_of = with_presence(arrays[f"values {metric}"]), mean_of_present
        else:
            return None
    scores = InstanceScores(rows, metric_of, is_exact=False)
    return replace(
        scores, is_exact=bool(numpy.isclose(scores.over_all(), value, rtol=1e-6, atol=1e-9))
    )


def metric_of_counts(source: Dict[str, Any]) -> Callable[[numpy.ndarray], numpy.ndarray]:
    """Makes a counting metric again, from its class and its settings, and returns its function."""
    metric = counting_metric_class(source["class"]).from_settings(source["attributes"])

    def value_of(counts: List[int]) -> float:
        metrics = metric.compute_metrics(counts) if any(counts) else {}
        return metrics.get(source["figure"], numpy.nan)

    return lambda totals: numpy.array([value_of(row) for row in totals.astype(int).tolist()])


def counting_metric_class(name: str) -> Type[CountingMetric]:
    """Returns the class that had this full name when a record was written."""
    module, _, attribute = MOVED_CLASSES.get(name, name).rpartition(".")
    metric_class = getattr(importlib.import_module(module), attribute)
    assert issubclass(metric_class, CountingMetric), f"{name} was a CountingMetric"
    return metric_class


def with_presence(values: numpy.ndarray) -> numpy.ndarray:
    """Pairs each value with a 1, and NaN, as a zero, with a 0: shape `(num_instances, 2)`."""
    present = ~numpy.isnan(values)
    return numpy.stack([numpy.where(present, values, 0.0), present], axis=1)


def mean_of_present(totals: numpy.ndarray) -> numpy.ndarray:
    """Divides sums of `with_presence`, shape `(n, 2)`: means of shape `(n,)`, NaN of no values."""
    total, number = totals.T
    return numpy.where(number > 0, total / numpy.maximum(number, 1), numpy.nan)
