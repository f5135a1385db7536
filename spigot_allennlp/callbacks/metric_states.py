"""Turns the counts of a model's metrics into plain data for a checkpoint, and back."""

import logging
from collections import defaultdict
from typing import Any, Dict, Iterator, Tuple

import numpy
import torch
from allennlp.nn.util import move_to_device
from allennlp.training.metrics import Metric

logger = logging.getLogger(__name__)

PLAIN = (bool, int, float, str, type(None), torch.Tensor)


def save_metrics(model: torch.nn.Module) -> Dict[str, Any]:
    """
    Returns what every metric has counted, by its place in the model: numbers, strings, tensors, and
    lists and dictionaries of these, which `torch.load` reads without running code.

    AllenNLP's metrics have no method for this, so their attributes are read and set here, and
    nowhere else.
    """
    return {place: to_plain(metrics) for place, metrics in find_metrics(model)}


def load_metrics(model: torch.nn.Module, states: Dict[str, Any]) -> None:
    """
    Restores the counts that `save_metrics` returned. Types come from the metrics of the model,
    values from the states, moved to the device of the model. A warning names the metrics that only
    the model or only the states have.
    """
    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    live = dict(find_metrics(model))
    differing = sorted(live.keys() ^ states.keys())
    for place in sorted(live.keys() & states.keys()):
        differing += _restore(place, live[place], move_to_device(states[place], device))
    if differing:
        logger.warning(
            "The model and the checkpoint do not have the same metrics: in this epoch these cover "
            "the batches from here on: %s.",
            ", ".join(place.lstrip(".") for place in differing),
        )


def _restore(place: str, live: Any, saved: Any) -> Iterator[str]:
    """
    Restores a metric, or the metrics that a list or dictionary holds on both sides; yields the
    places of those on one side only.
    """
    if isinstance(live, Metric):
        from_plain(live, saved)
        return
    metrics, states = (
        value if isinstance(value, dict) else dict(enumerate(value)) for value in (live, saved)
    )
    for key in {**metrics, **states}:
        if key in metrics and key in states:
            from_plain(metrics[key], states[key])
        else:
            yield f"{place}.{key}"


def find_metrics(model: torch.nn.Module) -> Iterator[Tuple[str, Any]]:
    """
    Finds every attribute of a module that is a metric, or a list or dictionary of metrics, and its
    place.
    """
    for name, module in model.named_modules():
        for attribute, value in vars(module).items():
            members = value.values() if isinstance(value, dict) else value
            members = members if isinstance(value, (dict, list, tuple)) else [value]
            if any(isinstance(member, Metric) for member in members):
                yield f"{name}.{attribute}", value


def to_plain(value: Any) -> Any:
    """
    Turns a value into plain data; a metric becomes a dictionary of its attributes that are data.
    """
    if isinstance(value, (numpy.generic, numpy.ndarray)):
        return torch.tensor(value) if isinstance(value, numpy.ndarray) else value.item()
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, Metric):
        return to_plain(vars(value))
    if isinstance(value, dict):
        return {key: to_plain(entry) for key, entry in value.items() if is_data(entry)}
    entries = [to_plain(entry) for entry in value if is_data(entry)]
    return tuple(entries) if isinstance(value, tuple) else entries


def is_data(value: Any) -> bool:
    """Returns whether a value is data: not a vocabulary, a function or the like."""
    return isinstance(value, (*PLAIN, numpy.generic, numpy.ndarray, Metric, dict, list, tuple, set))


def from_plain(live: Any, saved: Any) -> Any:
    """
    Returns `saved` in the type of `live`; metrics and dictionaries are changed in place.
    """
    if isinstance(live, Metric):
        from_plain(vars(live), saved)
        return live
    if isinstance(live, dict):
        for key in [key for key in live if key not in saved and is_data(live[key])]:
            del live[key]
        for key, entry in saved.items():
            old = live[key] if isinstance(live, defaultdict) else live.get(key)
            live[key] = from_plain(old, entry)
        return live
    if isinstance(live, (list, tuple)) and any(isinstance(entry, Metric) for entry in live):
        return type(live)(from_plain(old, entry) for old, entry in zip(live, saved, strict=True))
    if isinstance(live, numpy.ndarray):
        return saved.cpu().numpy()
    return type(live)(saved) if isinstance(live, (list, tuple, set)) else saved
