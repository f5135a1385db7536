"""The reader of SDP."""

from typing import Dict, Iterator, Optional, Union

from allennlp.common.checks import ConfigurationError
from allennlp.data import DatasetReader

from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.conll_format import ConllSentence, scan_conll
from spigot_allennlp.data.dataset_readers.companion import (
    check_tokens,
    companion_path,
    with_companion,
)
from spigot_allennlp.data.dataset_readers.sentence_reader import local_path
from spigot_allennlp.data.dataset_readers.treebank_reader import Result, TreebankReader
from spigot_allennlp.data.errors import attempt
from spigot_allennlp.data.sdp_format import SdpSentence, scan_sdp


@DatasetReader.register("sdp")
class SdpReader(TreebankReader):
    """
    Reads semantic dependency graphs in any form of SDP, with the syntactic trees of the augmented
    form, or of a companion file in CoNLL-X or CoNLL-U.

    Registered as a `DatasetReader` with name "sdp".

    # Parameters

    companion : `Union[str, Dict[str, str]]`, optional
        Where the trees are: a suffix such as `".conll"` (that of `train.sdp` is `train.conll`), a
        map from data paths to either (`"*"` for all others), or one path. Sentences are matched by
        their order, and must have the same tokens. The trees of an augmented file are then not
        looked at. With the embedded data set, any value gives its own trees.
    match_forms : `bool`, optional (default = `True`)
        Whether a token must have the same form in both files, or the number of tokens will do.
    trees : `bool`, optional (default = `True`)
        Whether to take the trees, where the file or its companion has them; each sentence must then
        have one. Some augmented files have every head 0, which is no tree: set this to `False`.
    """

    def __init__(
        self,
        companion: Optional[Union[str, Dict[str, str]]] = None,
        match_forms: bool = True,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self._companion = companion
        self._match_forms = match_forms

    def _sentences(self, path: str) -> Iterator[Result]:
        local = local_path(path)
        if self._companion is None or not self._trees:
            for sentence in scan_sdp(local):
                yield attempt(self._annotated, sentence, None)
        else:
            other = _existing_companion(path, self._companion)
            trees = scan_conll(other, "conllx")
            for sentence, tree in with_companion(local, scan_sdp(local), other, trees):
                yield attempt(self._annotated, sentence, tree)

    def _annotated(self, sentence: SdpSentence, tree: Optional[ConllSentence]) -> AnnotatedSentence:
        tokens = sentence.tokens
        annotated = AnnotatedSentence(
            words=[token.form for token in tokens],
            lemmas=[token.lemma for token in tokens],
            pos=[token.pos for token in tokens],
            arcs=self._graph_rules.check(list(sentence.arcs), sentence.path, sentence.lines),
            tops=sentence.tops,
            identifier=sentence.identifier,
            source=f"{sentence.path}:{sentence.lines[0]}",
        )
        if tree is not None:
            check_tokens(sentence, tree, self._match_forms)
            heads, lines = [word.head for word in tree.words], tree.word_lines
            annotated.heads = self._tree_rules.check(heads, tree.path, lines)
            annotated.relations = [word.relation for word in tree.words]
        elif self._trees and sentence.layout.syntax:
            heads = [token.head for token in tokens]
            annotated.heads = self._tree_rules.check(heads, sentence.path, sentence.lines)
            annotated.relations = [token.relation for token in tokens]
        return annotated


def _existing_companion(path: str, companion: Union[str, Dict[str, str]]) -> str:
    """The companion of `path`, which must be there."""
    other = companion_path(path, companion)
    try:
        return local_path(other)
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path}: its companion {other} does not exist. Name another in the reader's "
            "'companion', or read the graphs without trees: \"trees\": false."
        ) from error
