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
