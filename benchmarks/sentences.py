"""Files of sentences of the embedded treebank, in all formats that parsers read."""

import random
from pathlib import Path
from typing import List, NamedTuple, Sequence

from spigot_allennlp.data.annotated_sentence import Arc
from spigot_allennlp.data.synthetic.treebank.semantic_graph import SyntheticGraph
from spigot_allennlp.data.synthetic.treebank.tree import SyntaxTree
from spigot_allennlp.data.synthetic.treebank.treebank import (
    FORMATS,
    SyntheticSentence,
    generate_sentences,
)

# The relation of a sentence that was joined to another.
_JOINED = "dep"


class SentenceFiles(NamedTuple):
    """
    The same sentences in several formats.

    # Parameters

    sdp, sdp_augmented, conllu : `Path`
        AllenNLP's reader needs the trees beside the graphs, in augmented SDP. CoNLL-U has the
        graph in the column for enhanced ones, where supar looks for it.
    lengths : `List[int]`
        The number of words of each sentence.
    """

    sdp: Path
    sdp_augmented: Path
    conllu: Path
    lengths: List[int]


def files_at(stem: Path, lengths: Sequence[int] = ()) -> SentenceFiles:
    """Returns the files that have been, or will be, written: `stem` with the suffixes."""
    names = [name for name in SentenceFiles._fields if name in FORMATS]
    paths = {name: stem.with_suffix(FORMATS[name].suffix) for name in names}
    return SentenceFiles(**paths, lengths=list(lengths))


def write_sentences(stem: Path, sentences: Sequence[SyntheticSentence]) -> SentenceFiles:
    """Writes the files of some sentences."""
    files = files_at(stem, [len(sentence.tree.words) for sentence in sentences])
    for name, text_format in FORMATS.items():
        if name in files._fields:
            text = text_format.header + "".join(map(text_format.write, sentences))
            getattr(files, name).write_text(text)
    return files


def in_batches_of_similar_length(
    sentences: Sequence[SyntheticSentence], batch_size: int
) -> List[SyntheticSentence]:
    """
    Returns sentences in an order in which all of a batch have about the same length, and the
    batches come as they are drawn; as a loader with buckets would have them.
    """
    ordered = sorted(sentences, key=lambda sentence: len(sentence.tree.words))
    batches = [ordered[start : start + batch_size] for start in range(0, len(ordered), batch_size)]
    random.Random(1).shuffle(batches)
    return [sentence for batch in batches for sentence in batch]


def sample(size: int, seed: int) -> List[SyntheticSentence]:
    """Samples sentences of the treebank."""
    return list(generate_sentences(size, seed))


def sample_of_length(length: int, size: int, seed: int) -> List[SyntheticSentence]:
    """Samples `size` sentences of `length` words each: sentences of the treebank, joined."""
    # Whatever their lengths are, these have words enough.
    pool = iter(generate_sentences(size * (length // 4 + 1), seed))
    sentences = []
    for number in range(1, size + 1):
        parts: List[SyntheticSentence] = []
        while sum(len(part.tree.words) for part in parts) < length:
            parts.append(next(pool))
        sentences.append(_joined(parts, length, f"{seed}-{number}"))
    return sentences


def _joined(parts: Sequence[SyntheticSentence], length: int, identifier: str) -> SyntheticSentence:
    """Returns the first `length` words of some sentences as a sentence; the root is that of the
    first, and what depends on a word that was cut off depends on the root."""
    words = [word for part in parts for word in part.tree.words][:length]
    root = min(parts[0].tree.root, length)
    heads: List[int] = []
    relations: List[str] = []
    arcs: List[Arc] = []
    for part in parts:
        start = len(heads)
        heads += [head + start if head > 0 else root for head in part.tree.heads]
        relations += [
            _JOINED if head == 0 else relation
            for head, relation in zip(part.tree.heads, part.tree.relations, strict=True)
        ]
        arcs += [
            Arc(arc.predicate + start, arc.argument + start, arc.role) for arc in part.graph.arcs
        ]
    heads = [head if head <= length else root for head in heads[:length]]
    heads[root - 1], relations[root - 1] = 0, "root"
    tree = SyntaxTree(tuple(words), tuple(heads), tuple(relations[:length]))
    kept = tuple(arc for arc in arcs if max(arc.predicate, arc.argument) <= length)
    frames = tuple(frame for part in parts for frame in part.graph.frames)[:length]
    return SyntheticSentence(
        identifier, tree, SyntheticGraph(kept, (root,), frames), parts[0].label
    )
