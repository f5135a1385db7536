"""A model's config in which the parts that came from archives are spelled out."""

import logging
import os
from contextlib import nullcontext
from typing import Any, ContextManager, Dict, Iterable, Tuple

from allennlp.common import Params
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.models.archival import CONFIG_NAME, extracted_archive
from allennlp.models.model import remove_weights_related_keys_from_params

from spigot_allennlp.modules.vocabulary_beginning import numbered_otherwise

logger = logging.getLogger(__name__)

# The registered names of models that are taken from an archive.
ARCHIVED = ("from_archive", "pretrained")


def spell_out(config: Any, vocabulary: Vocabulary, place: str = "model") -> Any:
    """
    The same config, with the model config of its archive in the place of each part that is taken
    from one, however deep, and so on within that. What is read for the weights alone (see
    `remove_weights_related_keys_from_params`) is left out of it.

    A part stays as it is, with a warning, if `vocabulary` does not begin with that of its archive:
    without the archive, nobody would know what its numbers mean.

    # Parameters

    config : `Any`
        A model's config, or a part of it, plain dictionaries and lists.
    vocabulary : `Vocabulary`
        The one that is saved with the model.
    place : `str`, optional (default = `"model"`)
        Where in the whole config it stands, for the log.
    """
    if not isinstance(config, (dict, list)):
        return config
    if isinstance(config, dict) and config.get("type") in ARCHIVED:
        return _model_of_archive(config, vocabulary, place)
    if isinstance(config, dict) and "_pretrained" in config:
        logger.warning("%s still needs %s.", place, config["_pretrained"])
    entries: Iterable[Tuple[Any, Any]]
    entries = config.items() if isinstance(config, dict) else enumerate(config)
    spelled = {key: spell_out(part, vocabulary, f"{place}.{key}") for key, part in entries}
    return spelled if isinstance(config, dict) else list(spelled.values())


def read_vocabulary(folder: str, config: Dict[str, Any]) -> Vocabulary:
    """The vocabulary that is saved in `folder`, as a model of this config is given it."""
    options = config.get("vocabulary") or {}
    return Vocabulary.from_files(
        os.path.join(folder, "vocabulary"), options.get("padding_token"), options.get("oov_token")
    )


def _model_of_archive(part: Dict[str, Any], vocabulary: Vocabulary, place: str) -> Any:
    archive = part["archive_file"]
    with _opened(archive) as folder:
        config = Params.from_file(os.path.join(folder, CONFIG_NAME)).as_dict(quiet=True)
        differing = next(numbered_otherwise(read_vocabulary(folder, config), vocabulary), None)
    if differing is not None:
        logger.warning(
            "%s still needs %s, which numbers the entries of the vocabulary namespace '%s' "
            "otherwise than this model. To begin with the archive's numbers, give the config "
            "vocabulary: {type: 'extend', directory: '%s!vocabulary'}.",
            place,
            archive,
            differing[0],
            archive,
        )
        return part
    logger.info("%s: the model config of %s is put in the place of its name.", place, archive)
    remove_weights_related_keys_from_params(Params(config))
    return spell_out(config["model"], vocabulary, place)


def _opened(archive: str) -> ContextManager[str]:
    """A folder with the content of an archive; a run's folder may stand for its archive."""
    path = str(cached_path(archive))
    return nullcontext(path) if os.path.isdir(path) else extracted_archive(path)
