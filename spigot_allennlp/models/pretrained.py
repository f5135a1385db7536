"""Makes a previously trained model a part of another model."""

from typing import Iterator, Tuple

import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.models import Model
from allennlp.modules.token_embedders import Embedding

from spigot_allennlp.models.parsing_model import UNKNOWN


@Model.register("pretrained", constructor="from_archive")
class Pretrained(Model):
    """
    Takes a model's settings and weights from its archive. The vocabulary of the model around it
    must be that of the archive, or begin with it:

        vocabulary: { type: 'extend', directory: 'runs/parser/model.tar.gz!vocabulary' }

    Words added since then start with the vector of the unknown word, so the model treats them as it
    did before, and they are learned from there. (With AllenNLP's "from_archive" they start with
    random vectors.) This holds even if the archived model was initialised from a file of vectors
    that has them: the file is not read again.

    The archive of the surrounding model needs this archive, unless the surrounding model was
    trained with the callback "self_contained".

    Registered as a `Model` with name "pretrained".
    """

    @classmethod
    def from_archive(cls, archive_file: str, vocab: Vocabulary) -> Model:  # type: ignore[override]
        """
        # Parameters

        archive_file : `str`
            The `model.tar.gz` of a training, a path or a URL.
        vocab : `Vocabulary`
            The vocabulary of the surrounding model; AllenNLP passes it automatically.

        # Raises

        `ConfigurationError` if `vocab` does not begin with the archive's vocabulary, or if a
        namespace whose entries the model scores (such as roles) has grown.
        """
        # `Model`, not this class: the archive may hold any model.
        model = Model.from_archive(archive_file)
        _check_beginning(archive_file, model.vocab, vocab)
        _check_scored(archive_file, model, vocab)
        sizes = {part: len(part.weight) for part in model.modules() if isinstance(part, Embedding)}
        model.vocab.extend_from_vocab(vocab)
        model.extend_embedder_vocab()
        for embedding, size in sizes.items():
            _start_as_unknown(embedding, size)
        return model


def differing_entries(archived: Vocabulary, ours: Vocabulary) -> Iterator[Tuple[str, int]]:
    """
    Yields namespace and index of each entry of `archived` that `ours` does not have at this index,
    sorted by namespace and index. Yields nothing if `ours` equals `archived` or extends it.
    """
    for namespace in sorted(archived.get_namespaces()):
        entries = ours.get_index_to_token_vocabulary(namespace)
        theirs = archived.get_index_to_token_vocabulary(namespace)
        for index in sorted(theirs):
            if theirs[index] != entries.get(index):
                yield namespace, index


def _check_beginning(archive_file: str, archived: Vocabulary, ours: Vocabulary) -> None:
    differing = list(differing_entries(archived, ours))
    if differing:
        namespace, index = differing[0]
        number = sum(name == namespace for name, _ in differing)
        theirs = archived.get_index_to_token_vocabulary(namespace)
        entry = ours.get_index_to_token_vocabulary(namespace).get(index)
        raise ConfigurationError(
            f"{archive_file} numbers the entries of the vocabulary namespace '{namespace}' "
            f"otherwise than this model: entry {index} is {theirs[index]!r} there and {entry!r} "
            f"here ({number} of {len(theirs)} differ). Begin this model's vocabulary with the "
            f"archive's: vocabulary: {{type: 'extend', directory: '{archive_file}!vocabulary'}}."
        )


def _check_scored(archive_file: str, model: Model, vocab: Vocabulary) -> None:
    for namespace in getattr(model, "scored_namespaces", ()):
        entries = vocab.get_index_to_token_vocabulary(namespace)
        size = model.vocab.get_vocab_size(namespace)
        added = [entries[index] for index in sorted(entries) if index >= size]
        if added:
            raise ConfigurationError(
                f"{archive_file} knows {size} entries of the vocabulary namespace '{namespace}', "
                f"and cannot score those that came in since then: {added}. Train it on data that "
                "have them, or take away the training data that bring them in."
            )


@torch.no_grad()
def _start_as_unknown(embedding: Embedding, size: int) -> None:
    if len(embedding.weight) > size:
        embedding.weight[size:] = embedding.weight[UNKNOWN]
