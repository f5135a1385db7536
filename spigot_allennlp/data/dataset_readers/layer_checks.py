"""Whether layers of annotation fit their sentence, said in the words of whoever gave them."""

from typing import List, Optional, Sequence, Tuple

from allennlp.common.checks import ConfigurationError


def check_layers(words: List[str], **layers: Optional[Sequence]) -> None:
    """
    # Parameters

    words : `List[str]`
    layers : `Optional[Sequence]`
        By name, those that have one entry for each word.

    # Raises

    `ConfigurationError` if there is no word, or a layer is longer or shorter than the sentence.
    """
    if not words:
        raise ConfigurationError("A sentence without words cannot be an instance.")
    for name, layer in layers.items():
        if layer is not None and len(layer) != len(words):
            raise ConfigurationError(f"{len(layer)} {name} for {len(words)} words: {words}")


def check_positions(
    length: int,
    heads: Optional[Sequence[int]],
    arcs: Optional[Sequence[Tuple[int, int, str]]],
    tops: Optional[Sequence[int]],
) -> None:
    """
    # Raises

    `ConfigurationError` if a head is none of 0, ..., `length`, or the end of an arc, or a top, none
    of 1, ..., `length`.
    """
    ends = [end for predicate, argument, _ in arcs or () for end in (predicate, argument)]
    wrong = [position for position in (*ends, *(tops or ())) if not 1 <= position <= length]
    wrong += [head for head in heads or () if not 0 <= head <= length]
    if wrong:
        raise ConfigurationError(
            f"The positions {wrong} are outside a sentence of {length} words. Words count from 1; "
            "only a head may be 0, for the root."
        )
