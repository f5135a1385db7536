from itertools import product

import pytest

from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.tree_rules import GraphRules, TreeRules, find_crossing, find_cycle

LINES = range(11, 20)

LENGTHS = range(1, 5)


def reaches_root(heads: tuple, word: int) -> bool:
    for _ in heads:
        word = heads[word - 1] if word else 0
    return word == 0


def descends(heads: tuple, word: int, ancestor: int) -> bool:
    while word not in (0, ancestor):
        word = heads[word - 1]
    return word == ancestor


def is_projective(heads: tuple) -> bool:
    """Every word between a head and its dependent descends from the head."""
    return all(
        descends(heads, between, head)
        for word, head in enumerate(heads, 1)
        for between in range(min(word, head) + 1, max(word, head))
    )


def all_heads(length: int):
    return product(range(length + 1), repeat=length)


def is_tree(heads: tuple) -> bool:
    return all(reaches_root(heads, word) for word in range(1, len(heads) + 1))


def fault_of(rules: TreeRules, heads: tuple):
    try:
        assert rules.check(heads, "file", LINES) == list(heads)
    except MalformedInputError as error:
        return error.fault
    return None


def expected_fault(heads: tuple, multiple_roots: bool, projective: bool):
    if not is_tree(heads):
        return Fault.CYCLE
    if heads.count(0) > 1 and not multiple_roots:
        return Fault.ROOTS
    return Fault.NON_PROJECTIVE if projective and not is_projective(heads) else None


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("multiple_roots", [False, True])
@pytest.mark.parametrize("projective", [False, True])
def test_every_choice_of_heads_is_judged_rightly(length, multiple_roots, projective):
    rules = TreeRules(multiple_roots, projective)
    for heads in all_heads(length):
        assert fault_of(rules, heads) is expected_fault(heads, multiple_roots, projective)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_cycle_is_one(length):
    for heads in all_heads(length):
        cycle = find_cycle(heads)
        assert bool(cycle) == (not is_tree(heads))
        for word, following in zip(cycle, cycle[1:] + cycle[:1], strict=True):
            assert heads[word - 1] == following


def test_the_word_whose_arc_is_crossed_is_named():
    assert find_crossing([0, 4, 1, 1]) == 3
    assert find_crossing([2, 0, 2, 2]) is None


@pytest.mark.parametrize(
    "heads, message",
    [
        ([2, 0, 4, 3], "file:13: a cycle in the tree: 3 -> 4 -> 3"),
        ([1, 0], "file:11: a cycle in the tree: 1 -> 1"),
        ([0, 1, 0], "file:13: more than one root in the tree: the tokens 1, 3 have head 0"),
        ([0, None], "file:12: no such head: the head is _"),
    ],
)
def test_the_error_names_the_line_of_a_token_concerned(heads, message):
    with pytest.raises(MalformedInputError) as caught:
        TreeRules().check(heads, "file", LINES)
    assert str(caught.value).startswith(message)


def test_crossing_arcs_are_named():
    with pytest.raises(MalformedInputError, match="another arc crosses that from 1 to 3"):
        TreeRules(projective=True).check([0, 4, 1, 1], "file", LINES)


def test_a_role_twice_is_refused_where_it_is_deterministic():
    arcs = [(2, 1, "ARG1"), (2, 3, "ARG2"), (2, 4, "ARG2"), (1, 3, "ARG1")]
    for roles in ((), ("ARG1",), ("BV",)):
        assert GraphRules(roles).check(arcs, "file", LINES) == arcs
    with pytest.raises(MalformedInputError, match="file:14: .*: the tokens 3 and 4 are both ARG2"):
        GraphRules(("ARG1", "ARG2")).check(arcs, "file", LINES)
