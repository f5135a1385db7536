"""
The synthetic treebank: sentences with syntactic trees, semantic graphs and sentiment, and the text
of a sentence in each format.

The grammar samples a syntactic tree and its words together. The semantic graph is a function of the
tree, and the sentiment is a function of the graph. So the graph cannot be inferred from the words
alone (some strings have several trees, with different graphs), nor the sentiment from adjacent
words.
"""

from typing import Callable, Dict, Iterator, NamedTuple

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
from spigot_allennlp.data.synthetic.specification import (
    LONGEST,
    SHORTEST,
    check_lengths,
    parse_specification,
)
from spigot_allennlp.data.synthetic.treebank import (  # noqa: F401  (they register productions)
    clauses,
    noun_phrases,
    verb_phrases,
)
from spigot_allennlp.data.synthetic.treebank.grammar import Derivation
from spigot_allennlp.data.synthetic.treebank.sampling import Sampler
from spigot_allennlp.data.synthetic.treebank.semantic_graph import SyntheticGraph, semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentiment import STRONGEST, sentiment, sentiment_tree
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree, linearize

# The number of sentences to sample before a length counts as impossible.
_ATTEMPTS = 1000


class SyntheticSentence(NamedTuple):
    """
    A sentence of the treebank with its annotation.

    # Parameters

    identifier : `str`
        Seed and number, from 1: "1-20".
    tree : `SyntaxTree`
    graph : `SyntheticGraph`
    label : `int`
        The sentiment: from 0, very negative, through 2, neutral, to 4, very positive.
    """

    identifier: str
    tree: SyntaxTree
    graph: SyntheticGraph
    label: int


def generate_sentences(
    size: int, seed: int, min_length: int = SHORTEST, max_length: int = LONGEST
) -> Iterator[SyntheticSentence]:
    """
    Yields the sentences of a data set; see `Specification` for the parameters.

    # Raises

    `ValueError` if no sentence has a length within the bounds.
    """
    check_lengths(min_length, max_length)
    for number in range(1, size + 1):
        sampler = Sampler(f"{seed}:{number}")
        yield annotate(sample_tree(sampler, min_length, max_length), f"{seed}-{number}")


def sample_tree(sampler: Sampler, min_length: int, max_length: int) -> SyntaxTree:
    """
    Samples trees until a sentence has a length within the bounds, both included, and returns its
    tree.

    # Raises

    `ValueError` if none of many sentences has such a length.
    """
    for _ in range(_ATTEMPTS):
        tree = linearize(Derivation(sampler).expand("sentence"))
        if min_length <= len(tree.words) <= max_length:
            first = tree.words[0]
            capitalized = first._replace(form=first.form[0].upper() + first.form[1:])
            return tree._replace(words=(capitalized,) + tree.words[1:])
    raise ValueError(f"of {_ATTEMPTS} sentences none has {min_length} to {max_length} tokens")


def annotate(tree: SyntaxTree, identifier: str) -> SyntheticSentence:
    """Returns the sentence with the graph of its tree, and with its sentiment."""
    graph = semantic_graph(tree)
    label = sentiment(tree.words, graph) + STRONGEST
    return SyntheticSentence(identifier, tree, graph, label)


# ---- The text formats


def synthetic_text(spec: str, text_format: str) -> str:
    """
    Returns the text of a file of the treebank. The same `spec` names the same sentences in every
    format.

    # Parameters

    spec : `str`
        For example `"synthetic:size=2000,seed=1"`; see `Specification` for the keys.
    text_format : `str`
        "sdp" (2015), "sdp2014", "sdp_augmented" (with the trees), "conllx", "conllu" (with the
        semantic graph as the enhanced one), "sst" (the sentiment of every phrase), "sst_columns"
        (with lemmas and parts of speech) or "sst_lines" (the sentiment of the sentence).

    # Raises

    `ValueError` that says what is wrong in `spec` or `text_format`.
    """
    if text_format not in FORMATS:
        raise ValueError(f"{text_format!r} is no layout; those known are {', '.join(FORMATS)}.")
    write = FORMATS[text_format].write
    sentences = generate_sentences(**parse_specification(spec)._asdict())
    return FORMATS[text_format].header + "".join(map(write, sentences))


class TreebankFormat(NamedTuple):
    """
    A text format in which the treebank can be written.

    # Parameters

    name : `str`
    write : `Callable[[SyntheticSentence], str]`
        Returns the text of a sentence, including its last line feed.
    suffix : `str`
        The suffix of such files.
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
        comments = (f"#{sentence.identifier}",)
        return format_sdp(SdpSentence(tuple(tokens), graph.arcs, comments, layout))

    return write


def _conllx(sentence: SyntheticSentence) -> str:
    tokens = [
        ConllToken(str(position), *word, word.pos, "_", head, relation)
        for position, word, head, relation in sentence.tree.tokens()
    ]
    return format_conll(ConllSentence(tuple(tokens)))


def _conllu(sentence: SyntheticSentence) -> str:
    """Writes the semantic graph to the column for enhanced graphs."""
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
FORMATS: Dict[str, TreebankFormat] = {
    text_format.name: text_format
    for text_format in (
        TreebankFormat("sdp", _sdp(SDP_2015), ".sdp", SDP_HEADER + "\n"),
        TreebankFormat("sdp2014", _sdp(SDP_2014), ".2014.sdp"),
        TreebankFormat("sdp_augmented", _sdp(SDP_AUGMENTED), ".augmented.sdp", SDP_HEADER + "\n"),
        TreebankFormat("conllx", _conllx, ".conll"),
        TreebankFormat("conllu", _conllu, ".conllu"),
        TreebankFormat("sst", _sst, ".txt"),
        TreebankFormat("sst_columns", _sst_columns, ".sst.conll"),
        TreebankFormat("sst_lines", _sst_lines, ".tsv"),
    )
}

# The universal part of speech of each Penn Treebank tag that occurs.
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
