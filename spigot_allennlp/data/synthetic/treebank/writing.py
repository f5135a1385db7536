"""A synthetic sentence in each of the text formats."""

from typing import Callable, Dict, NamedTuple

from spigot_allennlp.data.formats.blocks import join_columns
from spigot_allennlp.data.formats.conll import ConllSentence, ConllToken, format_conll
from spigot_allennlp.data.formats.sdp import (
    SDP_2014,
    SDP_2015,
    SDP_AUGMENTED,
    SDP_HEADER,
    SdpLayout,
    SdpSentence,
    SdpToken,
    format_sdp,
)
from spigot_allennlp.data.formats.sst import format_sst
from spigot_allennlp.data.synthetic.treebank.phrases import sentiment_tree
from spigot_allennlp.data.synthetic.treebank.sentence import SyntheticSentence

#: The universal part of speech of each tag of the Penn Treebank that is used.
UNIVERSAL_TAGS = {"NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "PRP": "PRON", "PRP$": "PRON"}
UNIVERSAL_TAGS.update(WP="PRON", WDT="PRON", DT="DET", JJ="ADJ", RB="ADV", CD="NUM", CC="CCONJ")
UNIVERSAL_TAGS.update(MD="AUX", TO="PART", POS="PART", IN="ADP")
UNIVERSAL_TAGS.update({tag: "VERB" for tag in ("VB", "VBD", "VBZ", "VBP", "VBG", "VBN")})
UNIVERSAL_TAGS.update({",": "PUNCT", ".": "PUNCT"})
_BY_RELATION = {"aux": "AUX", "auxpass": "AUX", "cop": "AUX", "mark": "SCONJ", "neg": "PART"}


class Layout(NamedTuple):
    """
    One format.

    # Parameters

    name : `str`
    write : `Callable[[SyntheticSentence], str]`
        The text of a sentence, to its last line feed.
    header : `str`, optional
        What a file begins with.
    suffix : `str`
        What the name of a file ends in.
    """

    name: str
    write: Callable[[SyntheticSentence], str]
    suffix: str
    header: str = ""


def universal_tag(pos: str, relation: str) -> str:
    """The universal part of speech of a word with this tag and relation."""
    if relation in _BY_RELATION and not (relation == "aux" and pos == "TO"):
        return _BY_RELATION[relation]
    return UNIVERSAL_TAGS[pos]


def _sdp(layout: SdpLayout) -> Callable[[SyntheticSentence], str]:
    def write(sentence: SyntheticSentence) -> str:
        graph = sentence.graph
        predicates = {predicate for predicate, _, _ in graph.arcs}
        tokens = []
        for position, word, head, relation in sentence.tree.rows():
            flags = position in graph.tops, position in predicates
            frame = graph.frames[position - 1]
            tokens.append(SdpToken(*word, *flags, frame, head, relation))
        comments = (f"#{sentence.identifier}",)
        return format_sdp(SdpSentence(tuple(tokens), graph.arcs, comments, layout))

    return write


def _conllx(sentence: SyntheticSentence) -> str:
    tokens = [
        ConllToken(str(position), *word, word.pos, "_", head, relation)
        for position, word, head, relation in sentence.tree.rows()
    ]
    return format_conll(ConllSentence(tuple(tokens)))


def _conllu(sentence: SyntheticSentence) -> str:
    """The semantic graph stands in the column for enhanced graphs."""
    graph = sentence.graph
    edges = [(argument, predicate, role) for predicate, argument, role in graph.arcs]
    edges = sorted(edges + [(top, 0, "root") for top in graph.tops])
    tokens = []
    for position, (form, lemma, pos), head, relation in sentence.tree.rows():
        deps = "|".join(f"{source}:{label}" for end, source, label in edges if end == position)
        columns = (str(position), form, lemma, universal_tag(pos, relation), pos, "_")
        tokens.append(ConllToken(*columns, head, relation, deps or "_"))
    text = " ".join(word.form for word in sentence.tree.words)
    comments = (f"# sent_id = {sentence.identifier}", f"# text = {text}")
    return format_conll(ConllSentence(tuple(tokens), comments))


def _sst(sentence: SyntheticSentence) -> str:
    return format_sst(sentiment_tree(sentence.tree, sentence.graph)) + "\n"


def _sst_columns(sentence: SyntheticSentence) -> str:
    lines = [f"#{sentence.identifier}"]
    for position, word, _, _ in sentence.tree.rows():
        lines.append(join_columns([str(position), *word, str(sentence.label)]))
    return "\n".join([*lines, "", ""])


def _sst_lines(sentence: SyntheticSentence) -> str:
    return f"{sentence.label}\t{' '.join(word.form for word in sentence.tree.words)}\n"


#: The formats by name.
LAYOUTS: Dict[str, Layout] = {
    layout.name: layout
    for layout in (
        Layout("sdp", _sdp(SDP_2015), ".sdp", SDP_HEADER + "\n"),
        Layout("sdp2014", _sdp(SDP_2014), ".2014.sdp"),
        Layout("sdp_augmented", _sdp(SDP_AUGMENTED), ".augmented.sdp", SDP_HEADER + "\n"),
        Layout("conllx", _conllx, ".conll"),
        Layout("conllu", _conllu, ".conllu"),
        Layout("sst", _sst, ".txt"),
        Layout("sst_columns", _sst_columns, ".sst.conll"),
        Layout("sst_lines", _sst_lines, ".tsv"),
    )
}
