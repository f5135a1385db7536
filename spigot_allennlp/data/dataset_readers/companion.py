"""The companion of a treebank: a second file, with the syntactic trees of the same sentences."""

from itertools import zip_longest
from os.path import exists
from typing import Dict, Iterator, Tuple, Union

from allennlp.common.checks import ConfigurationError

from spigot_allennlp.data.conll_format import ConllSentence
from spigot_allennlp.data.errors import Fault, MalformedInputError
from spigot_allennlp.data.sdp_format import SdpSentence
from spigot_allennlp.data.source import is_synthetic

COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
OTHERS = "*"  # in a map of companions: every path that is not named

SdpResult = Union[SdpSentence, MalformedInputError]
ConllResult = Union[ConllSentence, MalformedInputError]


def companion_path(path: str, companion: Union[str, Dict[str, str]]) -> str:
    """
    The companion of the data file `path`.

    # Parameters

    path : `str`
        The data path of the config. The embedded data set is its own companion.
    companion : `Union[str, Dict[str, str]]`
        A path; or a suffix such as `".conll"`, to be put in the place of the data file's own (with
        `.gz`, `.bz2`, `.xz` or `.zst` after it or not, on either side); or a map from data paths to
        one of these, in which `"*"` stands for all other paths.

    # Raises

    `ConfigurationError` if `companion` has no entry for `path`.
    """
    if is_synthetic(path):
        return path
    if isinstance(companion, dict):
        if path not in companion and OTHERS not in companion:
            raise ConfigurationError(
                f"companion has no entry for the data path {path}, but for {sorted(companion)}. "
                'Add one, or "*" with a suffix such as ".conll", which holds for all others.'
            )
        companion = companion.get(path) or companion[OTHERS]
    if not companion.startswith(".") or "/" in companion:
        return companion
    stem = path
    if stem.endswith(COMPRESSED):
        stem = stem.rpartition(".")[0]
    folder, slash, name = stem.rpartition("/")
    plain = folder + slash + (name.rpartition(".")[0] or name) + companion
    return next((plain + end for end in ("", *COMPRESSED) if exists(plain + end)), plain)


def with_companion(
    path: str, sentences: Iterator[SdpResult], other_path: str, trees: Iterator[ConllResult]
) -> Iterator[Tuple[SdpResult, ConllResult]]:
    """
    Each sentence of the file `path` with that of the companion `other_path`. Where one file ends
    before the other, an error stands for what is missing.
    """
    for sentence, tree in zip_longest(sentences, trees):
        if sentence is None:
            sentence = _missing(path, _location(tree))
        if tree is None:
            tree = _missing(other_path, _location(sentence))
        yield sentence, tree


def check_tokens(sentence: SdpSentence, tree: ConllSentence, match_forms: bool) -> None:
    """
    # Raises

    `MalformedInputError` if the two have not the same number of tokens or, under `match_forms`,
    not the same forms.
    """
    words = tree.words
    if len(words) != len(sentence.tokens):
        here, there = sentence.lines[0], f"{tree.path}:{tree.word_lines[0]}"
        detail = f"{len(sentence.tokens)} tokens, but {len(words)} in the sentence at {there}"
        raise MalformedInputError(sentence.path, here, Fault.COMPANION, detail)
    rows = zip(sentence.tokens, sentence.lines, words, tree.word_lines, strict=True)
    for token, here, word, line in rows if match_forms else ():
        if token.form != word.form:
            detail = f"the form {token.form!r}, but {word.form!r} at {tree.path}:{line}"
            raise MalformedInputError(sentence.path, here, Fault.COMPANION, detail)


def _location(result: Union[SdpResult, ConllResult]) -> Tuple[str, int]:
    line = (result.line or 1) if isinstance(result, MalformedInputError) else result.lines[0]
    return result.path, line


def _missing(path: str, partner: Tuple[str, int]) -> MalformedInputError:
    partner_path, line = partner
    detail = f"no sentence is left in {path} for this one"
    return MalformedInputError(partner_path, line, Fault.COMPANION, detail)
