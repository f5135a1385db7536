"""A synthetic sentence in each of the text formats."""

from typing import Callable, Dict, NamedTuple

from spigot_allennlp.data.annotated_sentence import Arc
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
from spigot_allennlp.data.synthetic.treebank.semantic_graph import SyntheticGraph
from spigot_allennlp.data.synthetic.treebank.sentiment import sentiment_tree
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree


class SyntheticSentence(NamedTuple):
    """
    A sentence of the treebank with its annotation.

    # Parameters

    identifier : `str`
        Seed and number, from 1: "1-20".
    tree : `SyntaxTree`
    graph : `SyntheticGraph`
    label : `int`
        The sentiment, from 0, very negative, by 2, neutral, to 4, very positive.
    """

    identifier: str
    tree: SyntaxTree
    graph: SyntheticGraph
    label: int


class TreebankLayout(NamedTuple):
    """
    A text format in which the treebank can be written.

    # Parameters

    name : `str`
    write : `Callable[[SyntheticSentence], str]`
        Returns the text of a sentence, to its last line feed.
    suffix : `str`
        The end of the names of such files.
    header : `str`, optional (default = `""`)
        The beginning of such files.
    """

    name: str
    write: Callable[[SyntheticSentence], str]
    suffix: str
    header: str = ""


def _sdp(layout: SdpLayout) -> Callable[[SyntheticSentence], str]:
    def write(sentence: SyntheticSentence) -> str:
        graph = sentence.graph
        predicates = {arc.predicate for arc in graph.arcs}
        tokens = []
        for position, word, head, relation in sentence.tree.tokens():
            flags = position in graph.tops, position in predicates
            frame = graph.frames[position - 1]
            tokens.append(SdpToken(*word, *flags, frame, head, relation))
        arcs = tuple(Arc(*arc) for arc in graph.arcs)
        comments = (f"#{sentence.identifier}",)
        return format_sdp(SdpSentence(tuple(tokens), arcs, comments, layout))

    return write


def _conllx(sentence: SyntheticSentence) -> str:
    tokens = [
        ConllToken(str(position), *word, word.pos, "_", head, relation)
        for position, word, head, relation in sentence.tree.tokens()
    ]
    return format_conll(ConllSentence(tuple(tokens)))


def _conllu(sentence: SyntheticSentence) -> str:
    """Writes the semantic graph into the column for enhanced graphs."""
    graph = sentence.graph
    edges = [(arc.argument, arc.predicate, arc.role) for arc in graph.arcs]
    edges = sorted(edges + [(top, 0, "root") for top in graph.tops])
    tokens = []
    for position, (form, lemma, pos), head, relation in sentence.tree.tokens():
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
    for token in sentence.tree.tokens():
        lines.append(join_columns([str(token.position), *token.word, str(sentence.label)]))
    return "\n".join([*lines, "", ""])


def _sst_lines(sentence: SyntheticSentence) -> str:
    return f"{sentence.label}\t{' '.join(word.form for word in sentence.tree.words)}\n"


#: The formats by name.
LAYOUTS: Dict[str, TreebankLayout] = {
    layout.name: layout
    for layout in (
        TreebankLayout("sdp", _sdp(SDP_2015), ".sdp", SDP_HEADER + "\n"),
        TreebankLayout("sdp2014", _sdp(SDP_2014), ".2014.sdp"),
        TreebankLayout("sdp_augmented", _sdp(SDP_AUGMENTED), ".augmented.sdp", SDP_HEADER + "\n"),
        TreebankLayout("conllx", _conllx, ".conll"),
        TreebankLayout("conllu", _conllu, ".conllu"),
        TreebankLayout("sst", _sst, ".txt"),
        TreebankLayout("sst_columns", _sst_columns, ".sst.conll"),
        TreebankLayout("sst_lines", _sst_lines, ".tsv"),
    )
}

# The universal part of speech of each tag of the Penn Treebank that occurs.
_UNIVERSAL_TAGS = {"NN": "NOUN", "NNS": "NOUN", "NNP": "PROPN", "PRP": "PRON", "PRP$": "PRON"}
_UNIVERSAL_TAGS.update(WP="PRON", WDT="PRON", DT="DET", JJ="ADJ", RB="ADV", CD="NUM", CC="CCONJ")
_UNIVERSAL_TAGS.update(MD="AUX", TO="PART", POS="PART", IN="ADP")
_UNIVERSAL_TAGS.update({tag: "VERB" for tag in ("VB", "VBD", "VBZ", "VBP", "VBG", "VBN")})
_UNIVERSAL_TAGS.update({",": "PUNCT", ".": "PUNCT"})
_TAGS_BY_RELATION = {"aux": "AUX", "auxpass": "AUX", "cop": "AUX", "mark": "SCONJ", "neg": "PART"}


def universal_tag(pos: str, relation: str) -> str:
    """Returns the universal part of speech of a word with this tag and relation."""
    if relation in _TAGS_BY_RELATION and not (relation == "aux" and pos == "TO"):
        return _TAGS_BY_RELATION[relation]
    return _UNIVERSAL_TAGS[pos]
