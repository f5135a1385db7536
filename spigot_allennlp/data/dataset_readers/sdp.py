"""The reader of SDP, with trees from a companion: a second file with the same sentences."""

from itertools import zip_longest
from os.path import exists
from typing import Dict, Iterator, NamedTuple, Optional, Union

from allennlp.data import DatasetReader

from spigot_allennlp.config_checks import PlainConfigurationError
from spigot_allennlp.data.annotated_sentence import AnnotatedSentence
from spigot_allennlp.data.dataset_readers.data_path import (
    DataPath,
    is_synthetic,
    name_of,
    text_source,
)
from spigot_allennlp.data.dataset_readers.sentence_reader import SentenceResult
from spigot_allennlp.data.dataset_readers.treebank_reader import TreebankReader
from spigot_allennlp.data.errors import MalformedInputError, attempt
from spigot_allennlp.data.faults import Fault
from spigot_allennlp.data.formats.compression import SUFFIXES as COMPRESSED
from spigot_allennlp.data.formats.conll import ConllSentence, scan_conll
from spigot_allennlp.data.formats.sdp import SdpSentence, scan_sdp
from spigot_allennlp.data.formats.source import Source

ALL_OTHERS = "*"  # in a map of companions: every other path

# Suffixes of files in one format. If one of them is requested, the others also count.
CONLL_SUFFIXES = (".conll", ".conllu", ".conllx")

SdpResult = Union[SdpSentence, MalformedInputError]
ConllResult = Union[ConllSentence, MalformedInputError]


@DatasetReader.register("sdp")
class SdpReader(TreebankReader):
    """
    Reads semantic dependency graphs in any form of SDP, with syntactic trees from the augmented
    form, or from a companion file in CoNLL-X or CoNLL-U.

    Registered as a `DatasetReader` with name "sdp".

    # Parameters

    companion : `Union[str, Dict[str, str]]`, optional
        Where the trees are: a suffix such as `".conll"` (the companion of `train.sdp` is
        `train.conll`, or `train.conllu` if that does not exist), one path, or a map from data paths
        to either (`"*"` for all others). Sentences are matched by their order, and must have the
        same tokens. The trees in an augmented file are then ignored. For the embedded data set, any
        value means its own trees.
    match_forms : `bool`, optional (default = `True`)
        Whether tokens must have the same form in both files. Otherwise only their numbers must
        agree.
    trees : `bool`, optional (default = `True`)
        Whether to read the trees, if the file or its companion has them. Each sentence must then
        have one. Some augmented files have only heads of 0, which are not trees: set this to
        `False`.
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

    def _sentences(self, path: DataPath) -> Iterator[SentenceResult]:
        source = text_source(path, "sdp")
        if self._companion is None or not self._trees:
            for sentence in scan_sdp(source):
                yield attempt(self._annotate, sentence, None)
        else:
            companion = _companion_source(path, self._companion)
            for pair in with_companion(source, companion):
                yield attempt(self._annotate, pair.sentence, pair.tree)

    def _annotate(self, sentence: SdpSentence, tree: Optional[ConllSentence]) -> AnnotatedSentence:
        tokens = sentence.tokens
        annotated = AnnotatedSentence(
            words=[token.form for token in tokens],
            lemmas=[token.lemma for token in tokens],
            pos=[token.pos for token in tokens],
            arcs=self._graph_rules.check(list(sentence.arcs), sentence.path, sentence.line_numbers),
            tops=sentence.tops,
            identifier=sentence.identifier,
            source=f"{sentence.path}:{sentence.line_numbers[0]}",
        )
        if tree is not None:
            check_tokens(sentence, tree, self._match_forms)
            heads = [word.head for word in tree.words]
            annotated.heads = self._tree_rules.check(heads, tree.path, tree.word_line_numbers)
            annotated.relations = [word.relation for word in tree.words]
        elif self._trees and sentence.layout.syntax:
            heads = [token.head for token in tokens]
            annotated.heads = self._tree_rules.check(heads, sentence.path, sentence.line_numbers)
            annotated.relations = [token.relation for token in tokens]
        return annotated


def _companion_source(path: DataPath, companion: Union[str, Dict[str, str]]) -> Source:
    """
    Returns the companion of `path`.

    # Raises

    `ConfigurationError` if it does not exist.
    """
    other = companion_path(name_of(path), companion)
    try:
        return text_source(other, "conllx")
    except FileNotFoundError as error:
        raise PlainConfigurationError(
            f"{name_of(path)}: its companion {other} does not exist. Name another in the reader's "
            "'companion', or read the graphs without trees: \"trees\": false."
        ) from error


def companion_path(path: str, companion: Union[str, Dict[str, str]]) -> str:
    """
    Returns the path of the companion of the data file `path`.

    # Parameters

    path : `str`
        The data path of the config. The embedded data set is its own companion.
    companion : `Union[str, Dict[str, str]]`
        A path; a suffix such as `".conll"`, which replaces the data file's own; or a map from data
        paths to either, in which `"*"` stands for all other paths. Both the suffix and the data
        file may or may not be followed by `.gz`, `.bz2`, `.xz` or `.zst`. Each of `".conll"`,
        `".conllu"` and `".conllx"` also stands for the others if no file has it.

    # Raises

    `ConfigurationError` if `companion` has no entry for `path`.
    """
    if is_synthetic(path):
        return path
    if isinstance(companion, dict):
        if path not in companion and ALL_OTHERS not in companion:
            raise PlainConfigurationError(
                f"companion has no entry for the data path {path}, but for {sorted(companion)}. "
                'Add one, or "*" with a suffix such as ".conll", which holds for all others.'
            )
        companion = companion.get(path) or companion[ALL_OTHERS]
    if not companion.startswith(".") or "/" in companion:
        return companion
    stem = path
    if stem.endswith(COMPRESSED):
        stem = stem.rpartition(".")[0]
    folder, slash, name = stem.rpartition("/")
    stem = folder + slash + (name.rpartition(".")[0] or name)
    suffixes = [companion, *(CONLL_SUFFIXES if companion in CONLL_SUFFIXES else ())]
    candidates = [stem + suffix + end for suffix in suffixes for end in ("", *COMPRESSED)]
    return next(filter(exists, candidates), stem + companion)


class Pair(NamedTuple):
    """
    A sentence of SDP and its companion sentence. If one of them cannot be read, its error takes its
    place.
    """

    sentence: SdpResult
    tree: ConllResult


def with_companion(source: Source, companion: Source) -> Iterator[Pair]:
    """
    Yields each sentence of an SDP text with the one of its companion in CoNLL. If one text ends
    first, errors stand for its missing sentences.
    """
    for sentence, tree in zip_longest(scan_sdp(source), scan_conll(companion)):
        if sentence is None:
            sentence = _missing(source.name, tree)
        if tree is None:
            tree = _missing(companion.name, sentence)
        yield Pair(sentence, tree)


def _missing(name: str, partner: Union[SdpResult, ConllResult]) -> MalformedInputError:
    """Returns the error that the text `name` has no sentence for its `partner`."""
    if isinstance(partner, MalformedInputError):
        line = partner.line or 1
    else:
        line = partner.line_numbers[0]
    detail = f"no sentence is left in {name} for this one"
    return MalformedInputError(partner.path, line, Fault.COMPANION, detail)


def check_tokens(sentence: SdpSentence, tree: ConllSentence, match_forms: bool) -> None:
    """
    # Raises

    `MalformedInputError` if the two differ in the number of tokens or, with `match_forms`, in the
    forms.
    """
    words = tree.words
    if len(words) != len(sentence.tokens):
        place = f"{tree.path}:{tree.word_line_numbers[0]}"
        detail = f"{len(sentence.tokens)} tokens, but {len(words)} in the sentence at {place}"
        raise MalformedInputError(sentence.path, sentence.line_numbers[0], Fault.COMPANION, detail)
    rows = zip(sentence.tokens, sentence.line_numbers, words, tree.word_line_numbers, strict=True)
    for token, line, word, word_line in rows if match_forms else ():
        if token.form != word.form:
            detail = f"the form {token.form!r}, but {word.form!r} at {tree.path}:{word_line}"
            raise MalformedInputError(sentence.path, line, Fault.COMPANION, detail)
