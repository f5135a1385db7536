from allennlp.data import Vocabulary

from spigot_allennlp.modules.vocabulary_comparison import differing_entries


def vocabulary(**namespaces):
    return Vocabulary(tokens_to_add=namespaces)


def test_a_vocabulary_that_has_grown_begins_with_what_it_was():
    archived = vocabulary(tokens=["a", "b"], roles=["x"])
    assert list(differing_entries(archived, archived)) == []
    grown = vocabulary(tokens=["a", "b", "c"], roles=["x"], labels=["0"])
    assert list(differing_entries(archived, grown)) == []


def test_what_is_missing_or_elsewhere_is_named_by_its_archived_place():
    # Places 0 and 1 are padding and the unknown entry.
    archived = vocabulary(tokens=["a", "b"], roles=["x", "y"])
    other = vocabulary(tokens=["b", "a"], roles=["x"])
    assert list(differing_entries(archived, other)) == [("roles", 3), ("tokens", 2), ("tokens", 3)]
