"""A trained model's figures on test data, and what every instance adds to them."""

from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Tuple

import numpy
import torch
from allennlp.data import Batch, DatasetReader, Instance
from allennlp.models import Model
from allennlp.nn.util import move_to_device

from spigot_allennlp.callbacks.metric_states import find_metrics, to_plain
from spigot_allennlp.metrics.counting_metric import CountingMetric


@dataclass
class HeldOutScores:
    """
    # Parameters

    figures : `Dict[str, float]`
        Over all instances.
    counts : `Dict[str, numpy.ndarray]`
        By the place of a counting metric in the model: what each instance adds to its counts, shape
        `(num_instances, num_counts)`.
    values : `Dict[str, numpy.ndarray]`
        The figures that no counting metric has, of each instance alone, shape `(num_instances,)`;
        NaN where an instance has none.
    sources : `Dict[str, Dict[str, Any]]`
        Where the other figures come from: the `place`, class and attributes of a counting metric,
        and the name of its `figure`.
    """

    __test__ = False  # its name is no invitation to pytest

    figures: Dict[str, float] = field(default_factory=dict)
    counts: Dict[str, numpy.ndarray] = field(default_factory=dict)
    values: Dict[str, numpy.ndarray] = field(default_factory=dict)
    sources: Dict[str, Dict[str, Any]] = field(default_factory=dict)


def score(model: Model, instances: Iterable[Instance]) -> HeldOutScores:
    """
    Evaluates a model on one instance after another. The figures of our counting metrics are
    functions of counts that add up, so that the figures of any selection of instances follow from
    what is returned. Other metrics are asked for the figure of each instance alone, and then, in a
    second pass, of all together.
    """
    instances = list(instances)
    if not instances:
        return HeldOutScores()
    counting = dict(counting_metrics(model))
    counts: Dict[str, List[numpy.ndarray]] = {place: [] for place in counting}
    alone = []
    for number, loss in enumerate(losses_of_each(model, instances), start=1):
        for place, metric in counting.items():
            counts[place].append(counts_of(metric))
        # Some metrics raise where they have seen nothing, so that the last is not forgotten yet.
        alone.append({**loss, **model.get_metrics(reset=number < len(instances))})
    scores = HeldOutScores(counts={place: numpy.stack(rows) for place, rows in counts.items()})
    for place, metric in counting.items():
        metric.reset()
        metric.add(torch.from_numpy(scores.counts[place].sum(axis=0)))
    scores.figures = model.get_metrics()
    scores.sources = sources_of(scores.figures, counting)
    model.get_metrics(reset=True)
    found = dict.fromkeys(name for one in alone for name in one)
    others = [name for name in found if name not in scores.sources]
    scores.values = {
        name: numpy.array([float(one.get(name, numpy.nan)) for one in alone]) for name in others
    }
    if set(others) - {"loss"}:
        for _ in losses_of_each(model, instances):
            pass
        scores.figures.update(model.get_metrics(reset=True))
    if "loss" in scores.values:
        scores.figures["loss"] = float(numpy.nanmean(scores.values["loss"]))
    return scores


def instances_of(reader: DatasetReader, data: Any) -> Iterator[Instance]:
    """The instances of a file, or, for a multitask reader, of a file for each task."""
    if isinstance(data, dict):
        parts = (reader.read(path, force_task=task) for task, path in data.items())  # type: ignore
        return chain.from_iterable(parts)
    return iter(reader.read(data))


def losses_of_each(model: Model, instances: Iterable[Instance]) -> Iterator[Dict[str, float]]:
    """Runs the model on each instance alone, and returns its loss, if there is one."""
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
    """Each once, with its place, also out of lists and dictionaries."""
    seen = set()
    for place, value in find_metrics(model):
        members = value if isinstance(value, (list, tuple)) else [value]
        named = value.items() if isinstance(value, dict) else enumerate(members)
        for key, metric in named:
            if isinstance(metric, CountingMetric) and id(metric) not in seen:
                seen.add(id(metric))
                yield f"{place}.{key}".lstrip("."), metric


def counts_of(metric: CountingMetric) -> numpy.ndarray:
    """Shape `(num_counts,)`."""
    if metric._counts is None:
        return numpy.zeros(metric._num_counts, dtype=numpy.int64)
    return metric._counts.cpu().numpy()


def sources_of(
    figures: Dict[str, float], counting: Dict[str, CountingMetric]
) -> Dict[str, Dict[str, Any]]:
    """
    The counting metric behind each figure of the model: the one with a figure of that name, or
    whose name is the end of it, and of that value.
    """
    sources: Dict[str, Dict[str, Any]] = {}
    for place, metric in counting.items():
        kind = f"{type(metric).__module__}.{type(metric).__qualname__}"
        attributes = {key: to_plain(one) for key, one in vars(metric).items() if key != "_counts"}
        for figure, value in metric.get_metric().items():
            for name, total in figures.items():
                if (name == figure or name.endswith(f"_{figure}")) and total == value:
                    source = {"place": place, "figure": figure, "class": kind}
                    sources.setdefault(name, {**source, "attributes": attributes})
    return sources
