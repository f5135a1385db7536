from spigot_allennlp.data.formats.sst import format_sst
from spigot_allennlp.data.synthetic.treebank.semantic_graph import semantic_graph
from spigot_allennlp.data.synthetic.treebank.sentiment import sentiment_tree
from spigot_allennlp.data.synthetic.treebank.treebank import generate_sentences
from tests.data.synthetic.treebank.written_trees import tree_of


def labelled(text: str) -> str:
    tree = tree_of(text)
    return format_sst(sentiment_tree(tree, semantic_graph(tree)))


def test_each_phrase_is_judged_by_what_lies_within_it():
    # Love is very good, whatever is loved; the negation turns it round, and weakens it.
    expected = "(2 the) (1 (1 boring) (2 film))"
    expected = f"(4 (4 (4 love) (1 {expected})) (2 .))"
    expected = f"(1 (2 She) (1 (2 did) (1 (2 not) {expected})))"
    tree = (
        "She/PRP<4:nsubj did=do/VBD<4:aux not/RB<4:neg love/VB<0:root the/DT<7:det "
        "boring/JJ<7:amod film/NN<4:dobj ./.<4:punct"
    )
    assert labelled(tree) == expected


def test_a_verb_of_effect_depends_on_what_joins_it():
    # To punish is bad, to punish a villain is good; a clause under "denied" is turned round.
    expected = "(3 (2 that) (3 (2 he) (3 (1 punished) (1 (2 a) (1 villain)))))"
    expected = f"(1 (2 She) (1 (1 denied) {expected}))"
    tree = (
        "She/PRP<2:nsubj denied=deny/VBD<0:root that/IN<5:mark he/PRP<5:nsubj "
        "punished=punish/VBD<2:ccomp a/DT<7:det villain/NN<5:dobj"
    )
    assert labelled(tree) == expected


def test_the_phrase_of_all_words_has_the_label_of_the_sentence():
    for sentence in generate_sentences(size=60, seed=5):
        tree = sentiment_tree(sentence.tree, sentence.graph)
        assert tree.label == sentence.label
        assert tree.words == [word.form for word in sentence.tree.words]
        assert all(len(phrase.children) in (0, 2) for phrase in tree.phrases())
