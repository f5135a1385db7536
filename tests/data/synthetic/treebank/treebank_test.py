"""What can be relied on in the embedded treebank, on samples of it."""

import hashlib
from collections import Counter
from itertools import islice

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentiment import sentiment
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences, synthetic_text

SAMPLE = list(generate_sentences(size=400, seed=1))


def words_of(sentence):
    return [word.form.lower() for word in sentence.tree.words]


def share(holds, sentences=SAMPLE):
    return sum(map(holds, sentences)) / len(sentences)


@pytest.mark.parametrize(
    "layout, checksum",
    [
        ("sdp_augmented", "869f330cf75088f5"),
        ("conllu", "d9bbdf19f7776111"),
        ("sst", "292d1053c41e8e9a"),
    ],
)
def test_the_text_is_the_same_on_every_machine(layout, checksum):
    # The same under Python 3.10 to 3.13. A change of grammar or lexicon changes it: then so do all
    # numbers that were measured on the embedded treebank.
    text = synthetic_text("synthetic:size=50,seed=1", layout)
    assert hashlib.sha256(text.encode("utf-8")).hexdigest().startswith(checksum)


def test_a_sentence_depends_on_seed_and_number_alone():
    assert list(generate_sentences(size=20, seed=1)) == SAMPLE[:20]
    assert list(islice(generate_sentences(size=10**9, seed=1), 5)) == SAMPLE[:5]
    assert all(
        first.tree != second.tree
        for first, second in zip(generate_sentences(20, 2), SAMPLE[:20], strict=True)
    )


def test_every_layout_describes_the_same_sentences():
    sdp = synthetic_text("synthetic:size=5,seed=4", "sdp").split("\n\n")
    conllx = synthetic_text("synthetic:size=5,seed=4", "conllx").split("\n\n")
    for graph, tree in zip(sdp, conllx, strict=True):
        rows = [row.split("\t") for row in graph.splitlines() if not row.startswith("#")]
        assert [row[:3] for row in rows] == [row.split("\t")[:3] for row in tree.splitlines()]


def test_an_unknown_layout_is_named_with_those_that_are_known():
    with pytest.raises(ValueError, match="'xml' is no layout; those known are sdp, sdp2014, "):
        synthetic_text("synthetic:size=5", "xml")


def test_lengths_are_within_their_bounds():
    lengths = [len(sentence.tree.words) for sentence in SAMPLE]
    assert min(lengths) >= 4 and max(lengths) <= 35
    assert 13 < sum(lengths) / len(lengths) < 16
    short = [
        len(sentence.tree.words)
        for sentence in generate_sentences(30, 1, min_length=6, max_length=8)
    ]
    assert set(short) == {6, 7, 8}


def test_lengths_that_no_sentence_has_are_an_error():
    with pytest.raises(ValueError, match="of 1000 sentences none has 400 to 400 tokens"):
        next(generate_sentences(size=1, seed=1, min_length=400, max_length=400))


def test_each_tree_has_one_root_and_reaches_every_word():
    for sentence in SAMPLE:
        heads = (0, *sentence.tree.heads)
        assert heads[1:].count(0) == 1
        for position in range(1, len(heads)):
            steps = 0
            while position:
                position, steps = heads[position], steps + 1
                assert steps < len(heads)


def test_trees_are_projective():
    for sentence in SAMPLE:
        arcs = [(min(arc), max(arc)) for arc in enumerate(sentence.tree.heads, start=1)]
        assert not [(a, b) for a in arcs for b in arcs if a[0] < b[0] < a[1] < b[1]]


def test_the_graph_is_a_function_of_the_tree_and_the_sentiment_of_the_graph():
    for sentence in SAMPLE[:100]:
        graph = semantic_graph(sentence.tree)
        assert graph == sentence.graph
        assert sentiment(sentence.tree.words, graph) + 2 == sentence.label


def test_graphs_have_no_loops_and_one_arc_at_most_from_word_to_word():
    for sentence in SAMPLE:
        pairs = [arc[:2] for arc in sentence.graph.arcs]
        assert len(set(pairs)) == len(pairs)
        assert all(predicate != argument for predicate, argument in pairs)
        assert len(sentence.graph.tops) == 1


def test_most_graphs_are_re_entrant_and_some_have_crossing_arcs():
    def is_re_entrant(sentence):
        # Determiners aside.
        heads = Counter(argument for _, argument, role in sentence.graph.arcs if role != "BV")
        return max(heads.values()) > 1

    def has_crossing_arcs(sentence):
        arcs = [sorted(arc[:2]) for arc in sentence.graph.arcs]
        return any(a < c < b < d for a, b in arcs for c, d in arcs)

    assert share(is_re_entrant) > 0.8
    assert 0.1 < share(has_crossing_arcs) < 0.4


def test_relations_and_roles_are_all_there():
    relations = Counter(name for sentence in SAMPLE for name in sentence.tree.relations)
    roles = Counter(role for sentence in SAMPLE for *_, role in sentence.graph.arcs)
    rare = {"iobj", "appos", "ccomp", "xcomp", "rcmod", "vmod", "rel", "neg", "nsubjpass", "tmod"}
    assert all(relations[relation] >= 5 for relation in rare)
    assert {"ARG1", "ARG2", "ARG3", "BV", "neg", "poss", "compound", "loc", "subord"} <= set(roles)
    assert {"_and_c", "_or_c", "_but_c", "conj", "appos"} <= set(roles)


def test_labels_are_balanced():
    labels = Counter(sentence.label for sentence in generate_sentences(size=1500, seed=3))
    positive, negative = labels[3] + labels[4], labels[0] + labels[1]
    assert abs(positive - negative) < 0.08 * (positive + negative)
    assert 0.04 < labels[2] / 1500 < 0.15
    assert min(labels.values()) > 0.04 * 1500


def test_the_vocabulary_is_small_with_a_tail_that_training_has_not_seen():
    training = Counter(
        word for sentence in generate_sentences(2000, 1) for word in words_of(sentence)
    )
    development = {word for sentence in generate_sentences(300, 2) for word in words_of(sentence)}
    assert 800 < len(training) < 1500
    assert 0.02 < len(development - set(training)) / len(development) < 0.2


@pytest.mark.parametrize("longest, bound", [(1, 0.72), (2, 0.75)])
def test_neither_words_nor_neighbours_tell_the_sentiment(longest, bound):
    polar = [sentence for sentence in generate_sentences(size=2400, seed=1) if sentence.label != 2]
    texts = [" ".join(words_of(sentence)) for sentence in polar]
    labels = [sentence.label > 2 for sentence in polar]
    counter = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
    counts = counter.fit_transform(texts)
    classifier = LogisticRegression(max_iter=300).fit(counts[:1800], labels[:1800])
    positive, total = sum(labels[1800:]), len(labels[1800:])
    assert max(positive, total - positive) < 0.58 * total
    # The sentiment is a function of the graph: whoever reads that has 1.
    assert 0.55 < classifier.score(counts[1800:], labels[1800:]) < bound
