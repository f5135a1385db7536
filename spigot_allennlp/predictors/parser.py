"""From text, words or whole files to trees and semantic graphs, in JSON or SDP."""

from typing import Any, Dict

from allennlp.common.util import JsonDict
from allennlp.data import DatasetReader
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.predictors.line_predictor import ReportedError
from spigot_allennlp.predictors.sdp_output import SdpOutput
from spigot_allennlp.predictors.sentence_predictor import SentencePredictor


@Predictor.register("parser")
class ParserPredictor(SentencePredictor):
    """
    Parses sentences with any of our parsers. See `SentencePredictor` for the input and for further
    parameters. Should the reader, with `--use-dataset-reader`, look for trees (in a companion, say)
    that are not there, add `--overrides '{"validation_dataset_reader.trees": false}'`, or
    `dataset_reader` where there is no other for validation: parsing does without.

    The output has, per sentence, `id`, `words`, `lemmas` and `pos`; of a parser of trees `heads`
    (0 is the root) and `relations`; of a parser of graphs `arcs`, as `[predicate, argument, role]`,
    and `tops`. Positions count from 1. What a model does not make, or nobody knows, is left out.

    To write SDP instead:

    ```
    allennlp predict ARCHIVE INPUT --silent --output-file OUT --predictor-args '{"output": "sdp"}'
    ```

    Registered as a `Predictor` with name "parser".

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    output : `str`, optional (default = `"json"`)
        What `dump_line` writes: `"json"`, one line a sentence; or a layout of SDP: `"sdp"` (that of
        2015), `"sdp2014"` or `"sdp_augmented"`, which has the tree, too. A predictor writes the
        header of SDP 2015 once, so it makes one file. A line of input that is reported under
        `on_error` is left out of SDP, which cannot say so.
    """

    output_keys = ("id", "words", "lemmas", "pos", "heads", "relations", "arcs", "tops")

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        output: str = "json",
        **options: Any,
    ) -> None:
        super().__init__(model, dataset_reader, frozen, **options)
        self._sdp = None if output == "json" else SdpOutput(output)

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        readable = super().readable(output)
        if self._sdp is not None:
            self._sdp.check(readable)  # here an error is one of this sentence
        return readable

    def dump_line(self, outputs: JsonDict) -> str:
        if self._sdp is None:
            return super().dump_line(outputs)
        return "" if isinstance(outputs, ReportedError) else self._sdp.text(outputs)
