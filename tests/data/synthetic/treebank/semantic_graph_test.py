"""Graphs worked out by hand; and strings with two trees, whose graphs and sentiments differ."""

from typing import Dict, NamedTuple

import pytest

from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentiment import sentiment
from tests.data.synthetic.treebank.phenomena import PHENOMENA
from tests.data.synthetic.treebank.written_trees import arcs_of, tree_of


@pytest.mark.parametrize("name", PHENOMENA)
def test_the_graph_of_a_tree_is_the_one_worked_out_by_hand(name):
    phenomenon = PHENOMENA[name]
    tree = tree_of(phenomenon.tree)
    graph = semantic_graph(tree)
    assert list(graph.arcs) == arcs_of(tree, phenomenon.arcs)
    assert [tree.words[top - 1].form for top in graph.tops] == [phenomenon.top]


@pytest.mark.parametrize("name", PHENOMENA)
def test_the_sentiment_of_a_graph_is_the_one_worked_out_by_hand(name):
    phenomenon = PHENOMENA[name]
    tree = tree_of(phenomenon.tree)
    assert sentiment(tree.words, semantic_graph(tree)) == phenomenon.sentiment


class Reading(NamedTuple):
    """A tree of a string, the arcs that the other tree has not, and the sentiment."""

    tree: str
    further_arcs: str
    sentiment: int


class Pair(NamedTuple):
    """Two readings of a string."""

    first: Reading
    second: Reading


PAIRS: Dict[str, Pair] = {
    "a preposition belongs to the verb or to the noun": Pair(
        Reading(
            "She/PRP<2:nsubj saw=see/VBD<0:root the/DT<4:det hero/NN<2:dobj with/IN<2:prep "
            "a/DT<7:det camera/NN<5:pobj",
            "with-ARG1->saw",
            0,
        ),
        Reading(
            "She/PRP<2:nsubj saw=see/VBD<0:root the/DT<4:det hero/NN<2:dobj with/IN<4:prep "
            "a/DT<7:det camera/NN<5:pobj",
            "with-ARG1->hero",
            0,
        ),
    ),
    "who has the flaws is seen as bad, and to harm what is bad is good": Pair(
        Reading(
            "She/PRP<2:nsubj attacked=attack/VBD<0:root the/DT<4:det film/NN<2:dobj with/IN<2:prep "
            "flaws=flaw/NNS<5:pobj",
            "with-ARG1->attacked",
            -1,
        ),
        Reading(
            "She/PRP<2:nsubj attacked=attack/VBD<0:root the/DT<4:det film/NN<2:dobj with/IN<4:prep "
            "flaws=flaw/NNS<5:pobj",
            "with-ARG1->film",
            1,
        ),
    ),
    "the film is boring, or its critic": Pair(
        Reading(
            "She/PRP<2:nsubj punished=punish/VBD<0:root a/DT<6:det boring/JJ<5:amod film/NN<6:nn "
            "critic/NN<2:dobj",
            "boring-ARG1->film",
            -1,
        ),
        Reading(
            "She/PRP<2:nsubj punished=punish/VBD<0:root a/DT<6:det boring/JJ<6:amod film/NN<6:nn "
            "critic/NN<2:dobj",
            "boring-ARG1->critic",
            1,
        ),
    ),
    "the actor ruins the film, or she does": Pair(
        Reading(
            "She/PRP<2:nsubj met=meet/VBD<0:root the/DT<4:det actor/NN<2:dobj "
            "ruining=ruin/VBG<4:vmod a/DT<7:det film/NN<5:dobj",
            "ruining-ARG1->actor",
            -1,
        ),
        Reading(
            "She/PRP<2:nsubj met=meet/VBD<0:root the/DT<4:det actor/NN<2:dobj "
            "ruining=ruin/VBG<2:advcl a/DT<7:det film/NN<5:dobj",
            "ruining-ARG1->She ruining-subord->met",
            0,
        ),
    ),
    "a relative clause is about either noun": Pair(
        Reading(
            "She/PRP<2:nsubj rescued=rescue/VBD<0:root the/DT<4:det friend/NN<2:dobj of/IN<4:prep "
            "a/DT<7:det critic/NN<5:pobj who/WP<9:nsubj harmed=attack/VBD<4:rcmod "
            "him=he/PRP<9:dobj",
            "harmed-ARG1->friend",
            -1,
        ),
        Reading(
            "She/PRP<2:nsubj rescued=rescue/VBD<0:root the/DT<4:det friend/NN<2:dobj of/IN<4:prep "
            "a/DT<7:det critic/NN<5:pobj who/WP<9:nsubj harmed=attack/VBD<7:rcmod "
            "him=he/PRP<9:dobj",
            "harmed-ARG1->critic",
            1,
        ),
    ),
    "she hates the song, or denies that he does": Pair(
        Reading(
            "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<5:mark he/PRP<5:nsubj "
            "left=leave/VBD<2:ccomp and/CC<5:cc hated=hate/VBD<5:conj songs=song/NNS<7:dobj",
            "left-_and_c->hated hated-ARG1->he",
            2,
        ),
        Reading(
            "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<5:mark he/PRP<5:nsubj "
            "left=leave/VBD<2:ccomp and/CC<2:cc hated=hate/VBD<2:conj songs=song/NNS<7:dobj",
            "denied-_and_c->hated hated-ARG1->She",
            -2,
        ),
    ),
    "the concession is to what was denied, or to the denying": Pair(
        Reading(
            "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<6:mark it/PRP<6:nsubj was=be/VBD<6:cop "
            "new/JJ<2:ccomp although/IN<9:mark he/PRP<9:nsubj won=win/VBD<6:advcl",
            "although-ARG1->new",
            -1,
        ),
        Reading(
            "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<6:mark it/PRP<6:nsubj was=be/VBD<6:cop "
            "new/JJ<2:ccomp although/IN<9:mark he/PRP<9:nsubj won=win/VBD<2:advcl",
            "although-ARG1->denied",
            1,
        ),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_two_trees_of_the_same_words_have_different_graphs(name):
    first, second = (tree_of(reading.tree) for reading in PAIRS[name])
    assert first.words == second.words
    graphs = [set(semantic_graph(tree).arcs) for tree in (first, second)]
    assert graphs[0] - graphs[1] == set(arcs_of(first, PAIRS[name].first.further_arcs))
    assert graphs[1] - graphs[0] == set(arcs_of(second, PAIRS[name].second.further_arcs))


@pytest.mark.parametrize("name", PAIRS)
def test_two_trees_of_the_same_words_may_have_different_sentiments(name):
    for reading in PAIRS[name]:
        tree = tree_of(reading.tree)
        assert sentiment(tree.words, semantic_graph(tree)) == reading.sentiment
