"""
Fields for labels in a padded namespace, in which a label that training never saw is unknown.

AllenNLP recommends namespaces that end in `labels` or `tags`, which have no unknown label, and
warns of any other. There, a role that occurs in the test data alone ends the run with a `KeyError`.
These fields do not warn, since the other kind is meant.
"""

from allennlp.data.fields import AdjacencyField, SequenceLabelField


class _OpenNamespace:
    """Overrides the one method that warns. To stand before the field in the bases of a class."""

    __slots__ = ()

    def _maybe_warn_for_namespace(self, label_namespace: str) -> None:
        del label_namespace


class OpenAdjacencyField(_OpenNamespace, AdjacencyField):
    """An `AdjacencyField` whose namespace has an unknown label."""

    __slots__ = ()


class OpenSequenceLabelField(_OpenNamespace, SequenceLabelField):
    """A `SequenceLabelField` whose namespace has an unknown label, or whose labels are integers."""

    __slots__ = ()
