"""
Measures how far back the gradient of the last answers reaches on the copying problem: attentive,
full and truncated backpropagation with the same weights, random and trained.

Run `python -m studies.credit ARCHIVE` with an archive of `copying/sparse_attentive`. The results
are in `docs/results/sparse_attentive.md`.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import torch
from allennlp.common import Params
from allennlp.common.plugins import import_plugins
from allennlp.data import Batch, DatasetReader, TensorDict
from allennlp.models import Model, load_archive
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from torch import Tensor

from spigot_allennlp.compat.atomic_io import replacing

# The options in which each encoder differs from the trained one.
ENCODERS: Dict[str, Dict[str, Any]] = {
    "attentive": {},
    "attentive, gradient not cut": {"truncation": None},
    "full, without memory": {"top_k": 0, "truncation": None},
    "truncated, without memory": {"top_k": 0},
}
_STYLES = {
    "attentive": ("#d94801", "-"),
    "attentive, gradient not cut": ("#2171b5", "--"),
    "full, without memory": ("#238b45", "-"),
    "truncated, without memory": ("#525252", ":"),
}
_DELAYS = (10, 20, 50, 100, 200, 500, 1000, 2000)
_NAME = "credit_study"


class Credit(NamedTuple):
    """
    The gradient norms in sequences of one length.

    # Parameters

    weights : `str`
        "random" or "trained".
    encoder : `str`
        A key of `ENCODERS`.
    delay : `int`
        T in the copying problem: a sequence has `delay + 20` steps.
    norms : `List[float]`
        For each step, the norm of the gradient at its input, averaged over sequences. The loss of a
        sequence is the mean over its answers, at the last ten steps.
    """

    weights: str
    encoder: str
    delay: int
    norms: List[float]


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Runs the measurements of the command line, saves them, prints a table, and draws a plot."""
    parser = argparse.ArgumentParser("python -m studies.credit")
    parser.add_argument("archive", help="of a training of copying/sparse_attentive")
    parser.add_argument(
        "--output", type=Path, default=Path("docs"), help="folder of the norms and the plot"
    )
    parser.add_argument("--delays", nargs="+", type=int, default=_DELAYS)
    parser.add_argument(
        "--all-steps", type=int, default=100, help="the delay at which every step is shown"
    )
    parser.add_argument("--size", type=int, default=16, help="sequences of each delay")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    rows = list(measure(options.archive, options.delays, options.size))
    print(table(rows))
    options.output.mkdir(parents=True, exist_ok=True)
    with replacing(options.output / f"{_NAME}.json") as new:
        Path(new).write_text(_as_json(rows, options.all_steps))
    plot(rows, options.all_steps, options.output / f"{_NAME}.png")


def measure(archive: str, delays: Sequence[int], size: int) -> Iterator[Credit]:
    """Yields the norms for every encoder, with random weights and with those of the archive."""
    import_plugins()  # the classes that the archive names
    loaded = load_archive(archive)
    torch.manual_seed(1)
    fresh = Model.from_params(_params(loaded.config), vocab=loaded.model.vocab)
    for weights, source in (("random", fresh), ("trained", loaded.model)):
        for encoder, options in ENCODERS.items():
            model = with_encoder(source, loaded.config, options).double()
            for delay in delays:
                data = f"synthetic:size={size},seed=9,delay={delay}"
                tensors = batch_of(loaded.dataset_reader, data, model)
                norms = gradient_norms(model, tensors).mean(dim=0).tolist()
                yield Credit(weights, encoder, delay, norms)


def with_encoder(source: Model, config: Params, options: Dict[str, Any]) -> Model:
    """
    Returns a model built from `config` with other `options` for its encoder, and with the weights
    of `source`. Without a memory, the summary would be zero, so the output layer only has the
    columns for the state.
    """
    params = _params(config)
    params["encoder"].params.update(options)
    model = Model.from_params(params, vocab=source.vocab)
    weights = source.state_dict()
    model.load_state_dict(
        {
            name: weights[name][tuple(map(slice, tensor.shape))]
            for name, tensor in model.state_dict().items()
        }
    )
    return model.eval()


def _params(config: Params) -> Params:
    """Returns a copy of the model section of a config, since building the model consumes it."""
    return config.duplicate().pop("model")


def batch_of(reader: DatasetReader, data: str, model: Model) -> TensorDict:
    """Returns all sequences of a data path as arguments for `model`."""
    batch = Batch(list(reader.read(data)))
    batch.index_instances(model.vocab)
    return batch.as_tensor_dict()


def gradient_norms(model: Model, tensors: TensorDict) -> Tensor:
    """
    Returns the norm of the gradient of each sequence's loss at the input of each step,
    `(batch_size, length)`. The `model` is a `StepClassifier`, and all sequences have the same
    length.
    """
    embedded = model.text_field_embedder(tensors["tokens"])
    inputs = embedded.detach().to(next(model.parameters()).dtype).requires_grad_()
    output = model(inputs=inputs, labels=tensors["labels"], scored=tensors["scored"])
    # The loss is the mean over the sequences, and each sequence depends only on its own inputs.
    (gradient,) = torch.autograd.grad(output["loss"] * len(inputs), inputs)
    return gradient.norm(dim=-1)


def table(rows: Sequence[Credit]) -> str:
    """Returns the norms at the first step as a Markdown table with a row for each encoder."""
    delays = sorted({row.delay for row in rows})
    first = {(row.weights, row.encoder, row.delay): row.norms[0] for row in rows}
    lines = [
        "| weights | encoder | " + " | ".join(f"T = {delay}" for delay in delays) + " |",
        "|" + "---|" * (2 + len(delays)),
    ]
    for weights in ("random", "trained"):
        for encoder in ENCODERS:
            norms = (first[weights, encoder, delay] for delay in delays)
            shown = ("0" if norm == 0 else f"{norm:.1e}" for norm in norms)
            lines.append(f"| {weights} | {encoder} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def _as_json(rows: Sequence[Credit], all_steps: int) -> str:
    """
    Returns JSON with one row per line, with the norms of all steps if the delay is `all_steps`.
    """
    shown = (
        row._replace(norms=row.norms if row.delay == all_steps else row.norms[:1]) for row in rows
    )
    lines = (
        json.dumps({**row._asdict(), "norms": [float(f"{norm:.4g}") for norm in row.norms]})
        for row in shown
    )
    return "[\n" + ",\n".join(lines) + "\n]\n"


def plot(rows: Sequence[Credit], all_steps: int, path: Path) -> None:
    """
    Writes a plot: at the top the norms at the first step by delay, at the bottom those of every
    step at one delay; random weights on the left, trained ones on the right.
    """
    figure = Figure(figsize=(10, 6.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 2, sharey="row")
    for column, weights in enumerate(("random", "trained")):
        for encoder in ENCODERS:
            of_encoder = [row for row in rows if (row.weights, row.encoder) == (weights, encoder)]
            of_encoder.sort(key=lambda row: row.delay)
            delays, first = zip(*((row.delay, row.norms[0]) for row in of_encoder), strict=True)
            _draw(axes[0, column], encoder, delays, first)
            for row in of_encoder:
                if row.delay == all_steps:
                    steps = range(1, len(row.norms) + 1)
                    _draw(axes[1, column], encoder, steps, row.norms)
        axes[0, column].set_xscale("log")
        axes[0, column].set_title(f"{weights} weights", fontsize=10)
        axes[0, column].set_xlabel("T", fontsize=9)
        axes[1, column].set_xlabel(f"step, at T = {all_steps}", fontsize=9)
    axes[0, 0].set_ylabel("norm of the gradient at step 1", fontsize=9)
    axes[1, 0].set_ylabel("norm of the gradient", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=len(ENCODERS),
        fontsize=8,
        frameon=False,
    )
    with replacing(path) as new:
        figure.savefig(new, format=path.suffix[1:], dpi=110)


def _draw(axis: Axes, encoder: str, places: Sequence[int], norms: Sequence[float]) -> None:
    """Draws a line on a logarithmic axis. Crosses at the lower edge stand for zero."""
    colour, style = _STYLES[encoder]
    positive = [norm if norm > 0 else float("nan") for norm in norms]
    axis.plot(places, positive, color=colour, linestyle=style, label=encoder, linewidth=1.4)
    zeros = [place for place, norm in zip(places, norms, strict=True) if norm == 0]
    axis.plot(
        *(zeros, [0.02] * len(zeros)),
        transform=axis.get_xaxis_transform(),
        color=colour,
        linestyle="none",
        marker="x",
        markersize=4,
    )
    axis.set_yscale("log")
    axis.tick_params(labelsize=8)
    axis.grid(alpha=0.3)


if __name__ == "__main__":
    main()
