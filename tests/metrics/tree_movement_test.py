"""How trees have moved: two sentences, counted by hand."""

import pytest

from spigot_allennlp.metrics.tree_movement import Accuracy, Annotation, Movement, compare_trees

GOLD = [
    Annotation([2, 0, 2], [(2, 1, "ARG1"), (2, 3, "ARG2")], [2]),
    Annotation([0, 1, 2], [(1, 3, "ARG1")], [1]),
]
RELATIONS = [["subj", "root", "obj"], ["root", "obj", "mod"]]


def test_the_same_trees_have_not_moved():
    result = compare_trees(GOLD, GOLD, GOLD, RELATIONS)
    assert result.all == Movement(tokens=6)
    assert result.before == result.after
    assert result.after["same tree"] == Accuracy(2, 1.0, 1.0)
    assert result.after["different tree"] == Accuracy(0, None, None)


def test_arcs_may_be_lists_as_json_has_them():
    lists = [gold._replace(arcs=[list(arc) for arc in gold.arcs]) for gold in GOLD]
    assert compare_trees(lists, GOLD, lists, RELATIONS) == compare_trees(
        GOLD, GOLD, GOLD, RELATIONS
    )


def test_each_change_is_counted_where_it_belongs():
    before = [
        Annotation([2, 0, 2], [(2, 1, "ARG1")], [2]),  # right, and of its arcs one is missing
        Annotation([0, 3, 1], [(1, 3, "ARG2")], [1]),  # of three heads one right; a wrong role
    ]
    after = [
        Annotation([2, 0, 2], [(2, 1, "ARG1"), (2, 3, "ARG2")], [2]),
        Annotation([3, 1, 2], [(1, 3, "ARG1")], [3]),  # the wrong top
    ]
    result = compare_trees(before, after, GOLD, RELATIONS)
    # Of the second sentence: the first token leaves the root, of which it is a top, for the third,
    # with which it has an arc; the second comes to its head, with which it has none; the third
    # comes to its head and leaves the first, with which it has an arc.
    assert result.by_relation == {
        "obj": Movement(2, changed=1, towards_gold=1),
        "root": Movement(2, changed=1, away_from_gold=1),
        "mod": Movement(1, changed=1, towards_gold=1, away_from_graph=1),
        "subj": Movement(1),
    }
    assert list(result.by_relation) == ["obj", "root", "mod", "subj"]
    assert result.all == Movement(6, 3, 2, 1, 0, 1)
    # Arcs and tops in common: 2 of 2 and 3; 1 of 2 and 2. Then: all 3; 1 of 2 and 2.
    assert result.before["same tree"] == Accuracy(1, 1.0, 4 / 5)
    assert result.after["same tree"] == Accuracy(1, 1.0, 1.0)
    assert result.before["different tree"] == Accuracy(1, 1 / 3, 2 / 4)
    assert result.after["different tree"] == Accuracy(1, 2 / 3, 2 / 4)


def test_other_sentences_are_refused():
    with pytest.raises(ValueError, match="shorter|longer"):
        compare_trees(GOLD, GOLD[:1], GOLD, RELATIONS)
