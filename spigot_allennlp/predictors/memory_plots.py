"""Draws which memories a recurrence reads: when, of when, and with which weights."""

from os import PathLike
from typing import Sequence, Union

import numpy
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def reads(
    memories: Sequence[Sequence[int]],
    weights: Sequence[Sequence[float]],
    attend_every: int,
    title: str,
    path: Union[str, PathLike],
) -> None:
    """
    Writes a picture with a column for each step that reads, and a row for each memory that there
    was at the end: the darker where they meet, the greater the weight.

    # Parameters

    memories : `Sequence[Sequence[int]]`
        For each step what it has read, each by the number of steps after which it was stored: 0 for
        what was there before, else a multiple of `attend_every`.
    weights : `Sequence[Sequence[float]]`
        The weights of these, from 0 to 1.
    attend_every : `int`
    title : `str`
    path : `Union[str, PathLike]`
        Of the PNG.
    """
    num_steps = len(memories)
    darkness = numpy.zeros((num_steps // attend_every + 1, num_steps))
    for step, (row, row_weights) in enumerate(zip(memories, weights, strict=True)):
        for memory, weight in zip(row, row_weights, strict=True):
            darkness[memory // attend_every, step] += weight
    figure = Figure(figsize=(8, 6), dpi=120, layout="constrained")
    panel = figure.subplots()
    first, last = -attend_every / 2, (len(darkness) - 0.5) * attend_every
    picture = panel.imshow(
        darkness,
        cmap="Greys",
        vmin=0,
        vmax=1,
        origin="lower",
        aspect="auto",
        extent=(0.5, num_steps + 0.5, first, last),
    )
    figure.colorbar(picture, label="weight")
    panel.set_xlabel("step that reads")
    panel.set_ylabel("memory: the step after which it was stored (0: the start)")
    panel.set_title(title)
    # Without pyplot, which would need a display, and keep every figure.
    FigureCanvasAgg(figure).print_png(str(path))
