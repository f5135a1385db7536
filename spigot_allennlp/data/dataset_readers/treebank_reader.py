"""The base of the readers of treebanks: whatever the format, the same layers."""

from typing import Iterator, List, Optional, Tuple, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import Instance

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.sentence_reader import ON_ERROR, SentenceReader
from spigot_allennlp.data.dataset_readers.treebank_instance import treebank_instance
from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.tree_rules import GraphRules, TreeRules

# What is wrong with a tree or a graph only because a model is not able to have it.
EXCLUDED = (Fault.ROOTS, Fault.NON_PROJECTIVE, Fault.ROLE_TWICE)

Result = Union[AnnotatedSentence, MalformedInputError]


class TreebankReader(SentenceReader):
    """
    Reads sentences with trees, semantic graphs, or both. A subclass fills one hole: `_sentences`.
    See `SentenceReader` for data paths and further parameters.

    A model can never predict a tree or graph that its structure has not, and cannot learn from it:
    for training, `multiple_roots`, `projective` and `deterministic_roles` say what the structure
    has, and `on_excluded` is "skip". Data to be evaluated on are read without them, so that every
    sentence counts in the scores. `training_config/common/families.libsonnet` derives the former
    from the structure.

    # Parameters

    trees : `bool`, optional (default = `True`)
        Whether to take the trees, where the format has them. If so, each sentence must have one.
    multiple_roots : `bool`, optional (default = `False`)
        Whether a tree may have several words with head 0. If not, that is an error.
    projective : `bool`, optional (default = `False`)
        Whether a tree with crossing arcs is an error.
    deterministic_roles : `List[str]`, optional (default = `None`)
        Roles of the graphs: that a predicate has one of them twice is an error.
    on_excluded : `str`, optional (default: as `on_error`)
        What to do with a sentence that is sound, but that one of the last three parameters
        excludes. `"raise"` ends the run, with file, line and reason; `"skip"` leaves it out, and
        warns at the end of the file how many were left out, of how many, and why.
    """

    def __init__(
        self,
        trees: bool = True,
        multiple_roots: bool = False,
        projective: bool = False,
        deterministic_roles: Optional[List[str]] = None,
        on_excluded: Optional[str] = None,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        if on_excluded not in (None, *ON_ERROR):
            raise ConfigurationError(
                f'on_excluded is "{on_excluded}", but must be "raise" (end the run at a tree or '
                'graph that projective, multiple_roots or deterministic_roles exclude) or "skip" '
                "(leave the sentence out, and report it)."
            )
        self._on_excluded = on_excluded
        self._graph_rules = GraphRules(tuple(deterministic_roles or ()))
        self._trees = trees
        self._tree_rules = TreeRules(multiple_roots, projective)

    def _reaction(self, fault: Fault) -> str:
        if self._on_excluded is not None and fault in EXCLUDED:
            return self._on_excluded
        return super()._reaction(fault)

    def _sentences(self, path: str) -> Iterator[Result]:
        """The hole; see `SentenceReader`."""
        raise NotImplementedError

    def text_to_instance(  # type: ignore[override]
        self,
        words: List[str],
        lemmas: Optional[List[str]] = None,
        pos: Optional[List[str]] = None,
        heads: Optional[List[int]] = None,
        relations: Optional[List[str]] = None,
        arcs: Optional[List[Tuple[int, int, str]]] = None,
        tops: Optional[List[int]] = None,
        identifier: Optional[str] = None,
        source: Optional[str] = None,
        tags: Optional[List[str]] = None,
    ) -> Instance:
        """
        See `AnnotatedSentence` for the parameters, and `treebank_instance` for the fields.
        """
        return treebank_instance(
            AnnotatedSentence(
                words, lemmas, pos, tags, heads, relations, arcs, tops, identifier, source
            )
        )
