"""Draws spikes: which neurons fire when, and how often."""

import re
from os import PathLike
from typing import List, Sequence, Union

import numpy
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from spigot_allennlp.compat.outputs import write_figure

INK, ACCENT = "#1f3b57", "#c1440e"


def raster(
    trains: Sequence[numpy.ndarray],
    names: Sequence[str],
    classes: Sequence[str],
    title: str,
    path: Union[str, PathLike],
) -> None:
    """
    Writes a picture with a panel for each layer and a dot for each spike. The neurons of the last
    layer are ordered by the names of their classes.

    # Parameters

    trains : `Sequence[numpy.ndarray]`
        The spikes of each layer, zeros and ones, shape `(steps, num_neurons)`.
    names : `Sequence[str]`
        The names of the layers.
    classes : `Sequence[str]`
        The classes of the neurons of the last layer.
    title : `str`
    path : `Union[str, PathLike]`
        Of the PNG.
    """
    figure = Figure(figsize=(8, 2 + 2 * len(trains)), layout="constrained")
    panels = figure.subplots(len(trains), 1, sharex=True, squeeze=False)[:, 0]
    order = natural_order(classes)
    others = range(len(order), trains[-1].shape[1])  # neurons without a class
    *hidden, last = trains
    shown = [*hidden, last[:, [*order, *others]]]
    for panel, spikes, name in zip(panels, shown, names, strict=True):
        steps, neurons = numpy.nonzero(spikes)
        few = spikes.shape[1] <= 30
        look = {"marker": "|", "s": 90} if few else {"marker": ".", "s": 9, "linewidths": 0}
        panel.scatter(steps, neurons, color=INK, **look)
        panel.set_ylabel(f"{name}\n{spikes.shape[1]} neurons")
        panel.set_ylim(-0.5, spikes.shape[1] - 0.5)
    panels[-1].set_yticks(range(len(order)), [classes[index] for index in order])
    panels[-1].set_xlim(0, len(trains[-1]))
    panels[-1].set_xlabel("step")
    panels[0].set_title(title)
    write_figure(figure, path)


def natural_order(names: Sequence[str]) -> List[int]:
    """
    Returns the positions of names in natural order: "digit 2" before "digit 10". (A vocabulary
    orders its labels by frequency.)
    """

    def key(place: int) -> List[Union[str, int]]:
        # Text and numbers alternate, text first, so text is compared with text and numbers with
        # numbers.
        parts = re.split(r"([0-9]+)", names[place])
        return [int(part) if number % 2 else part for number, part in enumerate(parts)]

    return sorted(range(len(names)), key=key)


def firing_rates(
    counts: Sequence[numpy.ndarray], names: Sequence[str], steps: int, path: Union[str, PathLike]
) -> None:
    """
    Writes a picture with a panel for each layer: the histogram of firing counts over neurons and
    samples, on a logarithmic axis, since most neurons are silent.

    # Parameters

    counts : `Sequence[numpy.ndarray]`
        The firing counts of each layer, in any shape.
    names : `Sequence[str]`
    steps : `int`
        The number of steps over which they were counted.
    path : `Union[str, PathLike]`
        Of the PNG.
    """
    figure = Figure(figsize=(3.2 * len(counts), 3.2), layout="constrained")
    panels = figure.subplots(1, len(counts), squeeze=False)[0]
    for panel, layer_counts, name in zip(panels, counts, names, strict=True):
        values = layer_counts.reshape(-1)
        most = int(values.max(initial=0))
        edges = numpy.arange(0, most + 2, max(1, (most + 1) // 40)) - 0.5
        panel.hist(values, bins=edges if len(edges) > 1 else 1, color=INK, log=True)
        mean, silent = values.mean(), (values == 0).mean()
        panel.axvline(mean, color=ACCENT)
        panel.set_title(f"{name}: mean {mean:.1f}, silent {silent:.0%}", fontsize=10)
        panel.set_xlabel(f"spikes in {steps} steps")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[0].set_ylabel("neurons, all samples")
    write_figure(figure, path)
