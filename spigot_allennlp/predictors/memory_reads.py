"""Shows which memories a sparse attentive encoder reads at each step of a sequence."""

import inspect
from os import PathLike
from pathlib import Path
from typing import Any, List, Optional, Sequence, Union

import numpy
from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, sanitize
from allennlp.data import DatasetReader, Instance
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.compat.outputs import write_figure
from spigot_allennlp.modules.sparse_attentive_lstm import SparseAttentiveLstm
from spigot_allennlp.nn.attentive.cell import AttentiveReads
from spigot_allennlp.predictors.line_predictor import shown
from spigot_allennlp.predictors.pictures import PicturingPredictor
from spigot_allennlp.predictors.sentence_predictor import rounded


@Predictor.register("memory_reads")
class MemoryReadsPredictor(PicturingPredictor):
    """
    Returns what a model with an encoder "sparse_attentive_lstm" reads from its memories. With
    `--use-dataset-reader` the input is whatever the model's reader reads, including `synthetic:`.
    Otherwise it is JSON lines with the arguments of the reader's `text_to_instance`, such as
    `symbols` and `delay` for the copying problem, or an `image` of pixels.

    The output has, per sequence and for each step, a list of `memories`, by the number of steps
    after which they were stored, and a list of their `weights`, which sum to one. So memory 4 is
    the state after step 4, counted from 1, and memory 0 is the zero initial state. The output also
    has the `tokens` of the input and the `label` or `labels` that the model predicts, if it has
    any. If a folder is given, pictures are written into it:

    ```
    allennlp predict ARCHIVE DATA --use-dataset-reader --silent --output-file OUT \\
      --predictor memory_reads --predictor-args '{"pictures": "FOLDER"}'
    ```

    There is one for each of the first sequences, `reads-1.png` for line 1. It plots the step that
    reads against the memory that it reads; darker means a greater weight.

    Registered as a `Predictor` with name "memory_reads".

    # Parameters

    model : `Model`
        Any model with a single `SparseAttentiveLstm` that reads memories, and that runs it once.
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    pictures : `str`, optional
        See `PicturingPredictor`.
    num_pictures : `int`, optional (default = `10`)
        How many sequences get a picture.
    on_error : `str`, optional (default = `"raise"`)
        See `LinePredictor`.
    """

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        pictures: Optional[str] = None,
        num_pictures: int = 10,
        on_error: str = "raise",
    ) -> None:
        super().__init__(model, dataset_reader, frozen, on_error, pictures)
        self._encoder = _encoder_of(model)
        self._num_pictures = num_pictures

    def run(self, instances: List[Instance]) -> List[JsonDict]:
        for instance in instances:
            self._reader.apply_token_indexers(instance)
        calls: List[AttentiveReads] = []

        def read(encoder: SparseAttentiveLstm, arguments: Any, options: Any) -> None:
            calls.append(encoder.reads(*arguments, **options))

        self._encoder.reset_states()
        # Before the encoder runs, because in stateful use that changes its initial state.
        handle = self._encoder.register_forward_pre_hook(read, with_kwargs=True)
        try:
            outputs = self._model.forward_on_instances(instances)
        finally:
            handle.remove()
        if len(calls) != 1:
            raise ConfigurationError(
                f"The model ran its encoder {len(calls)} times, but the predictor "
                '"memory_reads" shows a single run. In Python, call `reads` of the encoder with '
                "the inputs of the run that you mean."
            )
        (reads,) = calls
        results = []
        for number, (instance, output) in enumerate(zip(instances, outputs, strict=True)):
            copied = {key: output[key] for key in ("label", "labels") if key in output}
            if "tokens" in instance.fields:
                copied["tokens"] = [token.text for token in instance["tokens"]]  # type: ignore
            results.append({**sanitize(copied), **_as_lists(reads, number)})
        return results

    def check(self, inputs: Any) -> None:
        signature = inspect.signature(self._reader.text_to_instance)
        try:
            signature.bind(**inputs)
        except TypeError as error:
            raise ConfigurationError(
                f"{shown(str(error))}. The model's reader, {type(self._reader).__name__}, takes "
                f"{', '.join(signature.parameters)}. Or give a file of the reader's, with "
                "--use-dataset-reader."
            ) from None

    def _json_to_instance(self, json_dict: JsonDict) -> Instance:
        return self._reader.text_to_instance(**json_dict)

    def draw(self, folder: Path, number: int, output: JsonDict) -> None:
        if number <= self._num_pictures:
            draw_reads(
                output["memories"],
                output["weights"],
                self._encoder.options.attend_every,
                f"sequence {number}" + (f": {output['label']}" if "label" in output else ""),
                folder / f"reads-{number}.png",
            )


def _encoder_of(model: Model) -> SparseAttentiveLstm:
    """
    Returns the sparse attentive encoder of a model.

    # Raises

    `ConfigurationError` if it has no such encoder, more than one, or one that reads nothing.
    """
    encoders = {
        name: part for name, part in model.named_modules() if isinstance(part, SparseAttentiveLstm)
    }
    if len(encoders) != 1:
        found = f"{len(encoders)}: {', '.join(encoders)}" if encoders else "none"
        raise ConfigurationError(
            'The predictor "memory_reads" needs a model with one encoder of type '
            f'"sparse_attentive_lstm", but in this {type(model).__name__} there is {found}.'
        )
    ((name, encoder),) = encoders.items()
    if encoder.options.top_k == 0:
        raise ConfigurationError(
            f"{name}.top_k is 0: this encoder reads no memories, so there is nothing to show. Give "
            "an archive that was trained with another top_k, or with null, for all memories."
        )
    return encoder


def _as_lists(reads: AttentiveReads, number: int) -> JsonDict:
    """Returns what a sequence of the batch has read, without padding."""
    rows = reads.stored_after[number].tolist(), reads.weights[number].tolist()
    steps = [
        [(memory, weight) for memory, weight in zip(*step, strict=True) if weight != 0]
        for step in zip(*rows, strict=True)
    ]
    while steps and not steps[-1]:  # every step reads something, so these are padding
        steps.pop()
    return {
        "memories": [[memory for memory, _ in step] for step in steps],
        "weights": [[rounded(weight) for _, weight in step] for step in steps],
    }


def draw_reads(
    memories: Sequence[Sequence[int]],
    weights: Sequence[Sequence[float]],
    attend_every: int,
    title: str,
    path: Union[str, PathLike],
) -> None:
    """
    Writes a picture with a column for each step that reads and a row for each memory that existed
    at the end. Darker cells mean greater weights.

    # Parameters

    memories : `Sequence[Sequence[int]]`
        The memories that each step has read, by the number of steps after which they were stored: 0
        for memories from before the sequence, otherwise a multiple of `attend_every`.
    weights : `Sequence[Sequence[float]]`
        The weights of these memories, from 0 to 1.
    attend_every : `int`
    title : `str`
    path : `Union[str, PathLike]`
        The path of the PNG.
    """
    from matplotlib.figure import Figure  # importing matplotlib is slow

    num_steps = len(memories)
    darkness = numpy.zeros((num_steps // attend_every + 1, num_steps))
    for step, (row, row_weights) in enumerate(zip(memories, weights, strict=True)):
        for memory, weight in zip(row, row_weights, strict=True):
            darkness[memory // attend_every, step] += weight
    figure = Figure(figsize=(8, 6), layout="constrained")
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
    write_figure(figure, path)
