"""The base of the readers of treebanks: whatever the format, the same layers."""

from typing import Iterator, List, Optional, Tuple, Union

from allennlp.data import Instance

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceReader
from spigot_allennlp.data.dataset_readers.treebank_instance import treebank_instance
from spigot_allennlp.data.errors import MalformedInputError
from spigot_allennlp.data.tree_rules import TreeRules

Result = Union[AnnotatedSentence, MalformedInputError]


class TreebankReader(SentenceReader):
    """
    Reads sentences with trees, semantic graphs, or both. A subclass fills one hole: `_sentences`.
    See `SentenceReader` for data paths and further parameters.

    # Parameters

    trees : `bool`, optional (default = `True`)
        Whether to take the trees, where the format has them. If so, each sentence must have one.
    multiple_roots : `bool`, optional (default = `False`)
        Whether a tree may have several words with head 0. If not, that is an error.
    projective : `bool`, optional (default = `False`)
        Whether a tree with crossing arcs is an error.
    """

    def __init__(
        self,
        trees: bool = True,
        multiple_roots: bool = False,
        projective: bool = False,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self._trees = trees
        self._tree_rules = TreeRules(multiple_roots, projective)

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
