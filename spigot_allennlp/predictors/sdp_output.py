"""A parser's output as the text of an SDP file."""

from dataclasses import replace
from typing import Any, Dict

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.config_checks import check_choice
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

LAYOUTS = {"sdp": SDP_2015, "sdp2014": SDP_2014, "sdp_augmented": SDP_AUGMENTED}


class SdpOutput:
    """
    Makes the text of one file, a sentence at a time. In the layouts of 2015, the first has the
    header before it.

    # Parameters

    layout : `str`
        `"sdp"`, `"sdp2014"` or `"sdp_augmented"`; the last has the tree, too.
    """

    def __init__(self, layout: str) -> None:
        check_choice("output", layout, ("json", *LAYOUTS))
        self._name = layout
        self._layout = LAYOUTS[layout]
        self._num_sentences = 0

    def check(self, parsed: Dict[str, Any]) -> None:
        """
        Raises a `ConfigurationError` if a word, or what is said of it, cannot stand in a column.
        """
        for layer in ("words", "lemmas", "pos", "relations"):
            try:
                join_columns(parsed.get(layer) or [])
            except ValueError as error:
                raise ConfigurationError(
                    f'"{layer}" cannot be written as SDP: {error} Take it out, or choose another '
                    'output: "json" has whatever there is.'
                ) from error

    def text(self, parsed: Dict[str, Any]) -> str:
        """
        The lines of one sentence, and the empty line that ends it. A sentence without `id` is given
        its number.

        # Raises

        `ConfigurationError` if the layout has something that the model does not make.
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
            ),
            self._layout,
        )
        name = _name_line(parsed.get("id", str(self._num_sentences)))
        is_start = self._num_sentences == 1 and self._layout.frames
        comments = (SDP_HEADER, name) if is_start else (name,)
        return format_sdp(replace(sentence, comments=comments))


def _name_line(identifier: str) -> str:
    """The comment that names a sentence; a name with white space would not be taken for one."""
    has_space = any(map(str.isspace, identifier))
    return f"# sent_id = {identifier}" if has_space else f"#{identifier}"
