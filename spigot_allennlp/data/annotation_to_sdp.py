"""Writes what is known of a sentence, from whichever source, as an SDP sentence."""

from dataclasses import replace
from typing import Optional, Sequence

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.sdp_format import SdpSentence, SdpToken
from spigot_allennlp.data.sdp_layout import SDP_2015, SdpLayout


def annotation_to_sdp(sentence: AnnotatedSentence, layout: SdpLayout = SDP_2015) -> SdpSentence:
    """
    The sentence with its graph: a token is a predicate if an arc starts at it. If there are heads,
    they are written too, and `layout` becomes the augmented form of itself.
    """
    length = len(sentence.words)
    arcs = tuple(sorted(sentence.arcs or ()))
    tops, predicates = set(sentence.tops or ()), {predicate for predicate, _, _ in arcs}
    heads: Sequence[Optional[int]] = sentence.heads or [None] * length
    rows = zip(
        sentence.words,
        sentence.lemmas or ["_"] * length,
        sentence.pos or sentence.tags or ["_"] * length,
        heads,
        sentence.relations or ["_"] * length,
        strict=True,
    )
    tokens = tuple(
        SdpToken(form, lemma, pos, i in tops, i in predicates, head=head, relation=relation)
        for i, (form, lemma, pos, head, relation) in enumerate(rows, start=1)
    )
    comments = () if sentence.identifier is None else (f"#{sentence.identifier}",)
    layout = replace(layout, syntax=layout.syntax or sentence.heads is not None)
    return SdpSentence(tokens, arcs, comments, layout)
