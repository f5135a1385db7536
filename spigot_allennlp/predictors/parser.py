"""Parses text, words or whole files into trees and semantic graphs, written as JSON or SDP."""

from dataclasses import replace
from typing import Any, Dict, Optional

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict
from allennlp.data import DatasetReader
from allennlp.models import Model
from allennlp.predictors import Predictor

from spigot_allennlp.config_checks import check_choice, check_interval
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.formats.blocks import join_columns
from spigot_allennlp.data.formats.sdp import (
    SDP_2014,
    SDP_2015,
    SDP_AUGMENTED,
    SDP_HEADER,
    annotation_to_sdp,
    format_sdp,
)
from spigot_allennlp.predictors.line_predictor import ReportedError
from spigot_allennlp.predictors.sentence_predictor import SentencePredictor

LAYOUTS = {"sdp": SDP_2015, "sdp2014": SDP_2014, "sdp_augmented": SDP_AUGMENTED}


@Predictor.register("parser")
class ParserPredictor(SentencePredictor):
    """
    Parses sentences with any of our parsers. See `SentencePredictor` for the input and further
    parameters. If the reader, with `--use-dataset-reader`, looks for missing trees (in a companion,
    say), add `--overrides '{"validation_dataset_reader.trees": false}'`, or `dataset_reader` if
    there is no separate reader for validation: parsing does not need these trees.

    The output has, per sentence, `id`, `words`, `lemmas` and `pos`. A parser of trees adds `heads`
    (0 is the root) and `relations`; a parser of graphs adds `arcs`, as
    `[predicate, argument, role]`, and `tops`. Positions count from 1. Whatever a model does not
    predict, or is not known, is left out.

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
        What `dump_line` writes: `"json"`, one line per sentence, or a layout of SDP: `"sdp"` (the
        layout of 2015), `"sdp2014"` or `"sdp_augmented"`, which also has the tree. A predictor
        writes the header of SDP 2015 once, so it makes a single file. A line of input that is
        reported under `on_error` is left out of SDP, which has no way to represent it.
    threshold : `float`, optional (default = `None`)
        In (0, 1): a graph consists of the arcs that are at least this probable, instead of being
        the best graph.
    minimum_risk : `bool`, optional (default = `False`)
        Whether to choose the tree with the highest expected number of correct heads, not the best
        tree.
    """

    output_keys = ("id", "words", "lemmas", "pos", "heads", "relations", "arcs", "tops")

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        output: str = "json",
        threshold: Optional[float] = None,
        minimum_risk: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(model, dataset_reader, frozen, **options)
        if threshold is not None:
            check_interval("(0, 1)", threshold=threshold)
        self.decode_by(self._decoding._replace(threshold=threshold, minimum_risk=minimum_risk))
        self._sdp = None if output == "json" else SdpOutput(output)

    def readable(self, output: Dict[str, Any]) -> JsonDict:
        readable = super().readable(output)
        if self._sdp is not None:
            # Here an error in a word concerns only its sentence. A model without graphs, which
            # concerns all sentences, is an error when the first sentence is written.
            self._sdp.check(readable)
        return readable

    def dump_line(self, outputs: JsonDict) -> str:
        if self._sdp is None:
            return super().dump_line(outputs)
        return "" if isinstance(outputs, ReportedError) else self._sdp.text(outputs)


class SdpOutput:
    """
    Produces the text of one file, a sentence at a time. In the layouts of 2015, the first sentence
    is preceded by the header.

    # Parameters

    layout : `str`
        `"sdp"`, `"sdp2014"` or `"sdp_augmented"`; the last also has the tree.
    """

    def __init__(self, layout: str) -> None:
        check_choice("output", layout, ("json", *LAYOUTS))
        self._name = layout
        self._layout = LAYOUTS[layout]
        self._num_sentences = 0

    def check(self, parsed: Dict[str, Any]) -> None:
        """
        Raises a `ConfigurationError` if a word or its annotation cannot be written in a column.
        """
        roles = [role for _, _, role in parsed.get("arcs") or ()]
        layers = {layer: parsed.get(layer) for layer in ("words", "lemmas", "pos", "relations")}
        for layer, columns in {**layers, "arcs": roles}.items():
            try:
                join_columns(columns or [])
                if layer == "arcs" and "_" in roles:
                    raise ValueError("the role _ is that of no arc.")
            except ValueError as error:
                raise ConfigurationError(
                    f'"{layer}" cannot be written as SDP: {error} Take it out, or choose another '
                    'output: "json" has whatever there is.'
                ) from error

    def text(self, parsed: Dict[str, Any]) -> str:
        """
        Returns the lines of a sentence and the empty line that ends it. A sentence without `id`
        gets its number.

        # Raises

        `ConfigurationError` if the layout needs something that the model does not predict.
        """
        for key in ("arcs", "heads") if self._layout.syntax else ("arcs",):
            if key not in parsed:
                raise ConfigurationError(
                    f"The output {self._name!r} needs {key!r}, but this model makes only "
                    f'{sorted(parsed)}. Choose another output: "json" has whatever there is.'
                )
        self._num_sentences += 1
        sentence = annotation_to_sdp(
            AnnotatedSentence(
                words=parsed["words"],
                lemmas=parsed.get("lemmas"),
                pos=parsed.get("pos"),
                heads=parsed["heads"] if self._layout.syntax else None,
                relations=parsed.get("relations"),
                arcs=[Arc(*arc) for arc in parsed["arcs"]],
                tops=parsed.get("tops"),
                identifier=parsed.get("id") or str(self._num_sentences),
            ),
            self._layout,
        )
        if self._num_sentences == 1 and self._layout.frames:
            sentence = replace(sentence, comments=(SDP_HEADER, *sentence.comments))
        return format_sdp(sentence)
