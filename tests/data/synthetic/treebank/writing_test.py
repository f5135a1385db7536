"""The files of the embedded treebank are read back by the readers of the formats."""

import pytest

from spigot_allennlp.data.dataset_readers.data_path import text_source
from spigot_allennlp.data.formats.conll import enhanced_graph, format_conll, scan_conll
from spigot_allennlp.data.formats.sdp import format_sdp, scan_sdp
from spigot_allennlp.data.formats.sentiment import (
    classes_of_labels,
    scan_sentiment_columns,
    scan_sentiment_lines,
)
from spigot_allennlp.data.formats.sst import parse_sst
from spigot_allennlp.data.synthetic.treebank.lexicon import Word
from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences, synthetic_text
from tests.data.sample_files import records_of

SPEC = "synthetic:size=40,seed=3"
SENTENCES = list(generate_sentences(size=40, seed=3))


@pytest.mark.parametrize("layout", ["sdp", "sdp2014", "sdp_augmented"])
def test_sdp_is_read_as_it_was_meant(layout):
    for sentence, read in zip(
        SENTENCES, records_of(scan_sdp(text_source(SPEC, layout))), strict=True
    ):
        tree, graph = sentence.tree, sentence.graph
        assert read.identifier == sentence.identifier
        assert [(token.form, token.lemma, token.pos) for token in read.tokens] == list(tree.words)
        assert read.arcs == graph.arcs
        assert read.tops == list(graph.tops)
        if layout != "sdp2014":
            assert tuple(token.frame for token in read.tokens) == graph.frames
        if layout == "sdp_augmented":
            assert tuple(token.head for token in read.tokens) == tree.heads
            assert tuple(token.relation for token in read.tokens) == tree.relations


def test_conllu_holds_the_tree_and_the_graph():
    for sentence, read in zip(
        SENTENCES, records_of(scan_conll(text_source(SPEC, "conllu"))), strict=True
    ):
        assert read.identifier == sentence.identifier
        assert tuple(token.head for token in read.tokens) == sentence.tree.heads
        assert enhanced_graph(read) == (list(sentence.graph.arcs), list(sentence.graph.tops))
        verbs = {token.form for token in read.tokens if token.upos == "VERB"}
        assert verbs == {
            word.form
            for _, word, _, relation in sentence.tree.tokens()
            if word.pos[0] == "V" and relation not in ("aux", "auxpass", "cop")
        }


def test_the_graph_follows_from_the_tree_of_another_file():
    for tree, graph in zip(
        records_of(scan_conll(text_source(SPEC, "conllx"))),
        records_of(scan_sdp(text_source(SPEC, "sdp"))),
        strict=True,
    ):
        words = tuple(Word(token.form, token.lemma, token.xpos) for token in tree.tokens)
        heads = tuple(token.head for token in tree.tokens)
        relations = tuple(token.relation for token in tree.tokens)
        assert semantic_graph(SyntaxTree(words, heads, relations)).arcs == graph.arcs


def test_sst_has_the_words_and_the_sentiment():
    lines = synthetic_text(SPEC, "sst").splitlines()
    for sentence, line in zip(SENTENCES, lines, strict=True):
        tree = parse_sst(line)
        assert tree.words == [word.form for word in sentence.tree.words]
        assert tree.label == sentence.label


def test_the_columns_of_sentiment_have_lemmas_and_parts_of_speech():
    sentences = scan_sentiment_columns(
        text_source(SPEC, "sst_columns"), classes_of_labels("5-class")
    )
    for sentence, read in zip(SENTENCES, sentences, strict=True):
        words = zip(read.words, read.lemmas, read.pos, strict=True)
        assert tuple(words) == sentence.tree.words
        assert (read.label, read.identifier) == (str(sentence.label), sentence.identifier)


def test_the_lines_of_sentiment_have_the_words():
    sentences = scan_sentiment_lines(text_source(SPEC, "sst_lines"), classes_of_labels("5-class"))
    for sentence, read in zip(SENTENCES, sentences, strict=True):
        assert read.words == [word.form for word in sentence.tree.words]
        assert read.label == str(sentence.label)


@pytest.mark.parametrize("layout", ["sdp", "sdp2014", "sdp_augmented"])
def test_what_the_readers_write_again_is_the_same_text(layout):
    text = "".join(map(format_sdp, records_of(scan_sdp(text_source(SPEC, layout)))))
    assert text == synthetic_text(SPEC, layout)


@pytest.mark.parametrize("layout", ["conllx", "conllu"])
def test_what_the_conll_reader_writes_again_is_the_same_text(layout):
    text = "".join(map(format_conll, records_of(scan_conll(text_source(SPEC, layout)))))
    assert text == synthetic_text(SPEC, layout)
