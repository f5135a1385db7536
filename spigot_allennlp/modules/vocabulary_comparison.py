"""Whether a vocabulary begins with that of an archive, whose model knows its numbers alone."""

from typing import Iterator, Tuple

from allennlp.data import Vocabulary


def differing_entries(archived: Vocabulary, ours: Vocabulary) -> Iterator[Tuple[str, int]]:
    """
    Namespace and index of each entry of `archived` that `ours` has not at this place, namespace by
    namespace, from the first index on; none if `ours` is `archived`, grown or not.
    """
    for namespace in sorted(archived.get_namespaces()):
        entries = ours.get_index_to_token_vocabulary(namespace)
        theirs = archived.get_index_to_token_vocabulary(namespace)
        for index in sorted(theirs):
            if theirs[index] != entries.get(index):
                yield namespace, index
