import json
from io import BytesIO

import pytest

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence, Arc
from spigot_allennlp.data.formats.conll import enhanced_graph, scan_conll
from spigot_allennlp.data.formats.sdp import SDP_HEADER, scan_sdp
from spigot_allennlp.data.formats.source import Source
from spigot_allennlp.parses.parse import Graph, Parse, Tree, sentiment_names

TOKENS = ["Kim", "wants", "to", "go"]
TREE = Tree([2, 0, 4, 2], ["nsubj", "root", "mark", "xcomp"])
GRAPH = Graph([Arc(2, 1, "ARG1"), Arc(2, 4, "ARG2"), Arc(4, 1, "ARG1")], [2])
PARSE = Parse(TOKENS, TREE, GRAPH, lemmas=["Kim", "want", "to", "go"], pos=["N", "V", "T", "V"])


def source(text):
    return Source("text", lambda: BytesIO(text.encode("utf-8")))


def test_sdp_has_tree_and_graph_and_is_read_back():
    text = PARSE.to_sdp()
    assert text == (
        "1\tKim\tKim\tN\t2\tnsubj\t-\t-\t_\tARG1\tARG1\n"
        "2\twants\twant\tV\t0\troot\t+\t+\t_\t_\t_\n"
        "3\tto\tto\tT\t4\tmark\t-\t-\t_\t_\t_\n"
        "4\tgo\tgo\tV\t2\txcomp\t-\t+\t_\tARG2\t_\n\n"
    )
    (sentence,) = scan_sdp(source(f"{SDP_HEADER}\n{text}"))
    assert (list(sentence.arcs), sentence.tops) == (GRAPH.arcs, GRAPH.tops)
    assert [token.head for token in sentence.tokens] == TREE.heads


def test_conllu_has_the_graph_in_deps_and_is_read_back():
    text = PARSE.to_conllu()
    assert text == (
        "1\tKim\tKim\tN\t_\t_\t2\tnsubj\t2:ARG1|4:ARG1\t_\n"
        "2\twants\twant\tV\t_\t_\t0\troot\t0:root\t_\n"
        "3\tto\tto\tT\t_\t_\t4\tmark\t_\t_\n"
        "4\tgo\tgo\tV\t_\t_\t2\txcomp\t2:ARG2\t_\n\n"
    )
    (sentence,) = scan_conll(source(text))
    assert enhanced_graph(sentence) == (GRAPH.arcs, GRAPH.tops)


def test_two_labels_of_a_pair_are_two_entries_of_deps_and_one_arc_again():
    parse = Parse(["a", "b"], graph=Graph([Arc(1, 2, "conj|nsubj")], [1]))
    assert "1:conj|1:nsubj" in parse.to_conllu()
    (sentence,) = scan_conll(source(parse.to_conllu()))
    assert enhanced_graph(sentence).arcs == [Arc(1, 2, "conj|nsubj")]
    with pytest.raises(ValueError, match="DEPS"):
        Parse(["a", "b"], graph=Graph([Arc(1, 2, "")], [])).to_conllu()


def test_what_is_not_there_is_not_written():
    text = Parse(["Go"], identifier="20").to_conllu()
    assert text == "# sent_id = 20\n1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n\n"
    with pytest.raises(ValueError, match=r"no graph.*to_conllu\(\).*to_json"):
        Parse(["Go"], Tree([0])).to_sdp()


def test_json_has_what_is_known():
    assert json.loads(json.dumps(PARSE.to_json())) == {
        "tokens": TOKENS,
        "lemmas": ["Kim", "want", "to", "go"],
        "pos": ["N", "V", "T", "V"],
        "tree": {"heads": [2, 0, 4, 2], "labels": ["nsubj", "root", "mark", "xcomp"]},
        "graph": {"arcs": [[2, 1, "ARG1"], [2, 4, "ARG2"], [4, 1, "ARG1"]], "tops": [2]},
    }


def test_a_record_and_its_parse_hold_the_same():
    sentence = AnnotatedSentence(
        TOKENS, heads=TREE.heads, relations=TREE.labels, arcs=GRAPH.arcs, tops=GRAPH.tops
    )
    assert Parse.from_annotation(sentence).to_annotation() == sentence


def test_classes_of_sentiment_have_names():
    assert sentiment_names(["1", "0"]) == {"0": "negative", "1": "positive"}
    assert sentiment_names(["0", "1", "2"]) == {"0": "negative", "1": "neutral", "2": "positive"}
    names = {"0": "very negative", "1": "negative", "2": "neutral", "3": "positive"}
    assert sentiment_names(list("01234")) == {**names, "4": "very positive"}
    assert sentiment_names(["joy", "0"]) == {"joy": "joy", "0": "0"}


def test_sentiment_of_numbered_classes_is_in_words():
    probabilities = {"0": 0.125, "1": 0.875}
    output = {"words": ["Fine"], "label": "1", "probabilities": probabilities}
    sentiment = Parse.from_output(output).sentiment
    assert sentiment is not None and sentiment.label == "positive"
    assert sentiment.probabilities == {"negative": 0.125, "positive": 0.875}


def test_an_output_without_words_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match="no words.*return the metadata"):
        Parse.from_output({"label": "1", "probabilities": {"1": 1.0}})
