"""Makes the archive of a run independent of other archives that its model was made from."""

import json
import logging
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ContextManager, Dict, Iterable, Optional, Tuple

from allennlp.common import Params
from allennlp.common.file_utils import cached_path
from allennlp.data import Vocabulary
from allennlp.models import Model
from allennlp.models.archival import CONFIG_NAME, extracted_archive
from allennlp.models.model import remove_weights_related_keys_from_params
from allennlp.training import GradientDescentTrainer, TrainerCallback

from spigot_allennlp.compat.atomic_io import write
from spigot_allennlp.models.pretrained import differing_entries

logger = logging.getLogger(__name__)

ORIGINAL_CONFIG = "config_as_given.json"  # existing archives use this name

# The registered names of models that are taken from an archive.
ARCHIVED = ("from_archive", "pretrained")


@TrainerCallback.register("self_contained")
class SelfContained(TrainerCallback):
    """
    If a part of a model was trained before, `{"type": "pretrained", "archive_file": ...}` or
    `{"type": "from_archive", ...}`, AllenNLP archives all weights and the vocabulary, but the
    archived config still names the part's archive. If that is moved or deleted, the new archive
    cannot be loaded.

    With this callback it can. When training has ended, just before AllenNLP archives the model, the
    config of the part replaces the name of its archive in `config.json`. The original config is
    kept beside it, in `config_as_given.json`. The archives are read when training starts, and may
    be gone when it ends. Before `config.json` is written, the model is loaded from its new content.
    If that fails, or if a file cannot be written, `config.json` does not change, and there is a
    warning.

    An interrupted run keeps its config, so an archive that AllenNLP makes of it still needs the
    other archive. After the end of a run, `--recover` uses the original config.

    Registered as a `TrainerCallback` with name "self_contained".
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._original = ""
        self._spelled_out: Optional[Dict[str, Any]] = None

    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: Any
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        file = Path(self.serialization_dir, CONFIG_NAME)
        if not is_primary or not file.exists():  # only `allennlp train` writes the file
            return
        self._original = file.read_text(encoding="utf-8")
        config = json.loads(self._original)
        vocabulary = read_vocabulary(self.serialization_dir, config)
        model = spell_out(config["model"], vocabulary)
        if model != config["model"]:
            self._spelled_out = {**config, "model": model}

    def on_end(
        self,
        trainer: GradientDescentTrainer,
        metrics: Optional[Dict[str, Any]] = None,
        epoch: Optional[int] = None,
        is_primary: bool = True,
        **kwargs: Any,
    ) -> None:
        was_interrupted = metrics is None
        if self._spelled_out is None or was_interrupted:
            return
        # An error here must not end a run that may have taken days. The config is written last:
        # until then it is complete, and names the archives.
        try:
            Model.load(Params(self._spelled_out).duplicate(), self.serialization_dir)
            self._write(ORIGINAL_CONFIG, self._original)
            self._write(CONFIG_NAME, json.dumps(self._spelled_out, indent=4))
        except Exception:
            logger.warning("The archive of this run will need those it names.", exc_info=True)
            return
        logger.info("%s needs no other archive now. Original: %s.", CONFIG_NAME, ORIGINAL_CONFIG)

    def _write(self, name: str, text: str) -> None:
        write(Path(self.serialization_dir, name), text)


def spell_out(config: Any, vocabulary: Vocabulary, place: str = "model") -> Any:
    """
    Replaces each part of a config that is taken from an archive, at any depth, with the model
    config of that archive, recursively. Keys that only concern weights (see
    `remove_weights_related_keys_from_params`) are removed from it.

    A part does not change, and there is a warning, if `vocabulary` does not begin with that of its
    archive: without the archive, the meaning of its indices would be lost.

    # Parameters

    config : `Any`
        A model's config, or a part of it, as plain dictionaries and lists.
    vocabulary : `Vocabulary`
        The vocabulary that is saved with the model.
    place : `str`, optional (default = `"model"`)
        Its place in the whole config, for the log.

    # Returns

    `Any`
        A new config; `config` itself where it is neither a dictionary nor a list.
    """
    if not isinstance(config, (dict, list)):
        return config
    # An initializer of type "pretrained" names weights, not an archive.
    if isinstance(config, dict) and config.get("type") in ARCHIVED and "archive_file" in config:
        return _model_of_archive(config, vocabulary, place)
    if isinstance(config, dict) and "_pretrained" in config:
        logger.warning("%s still needs %s.", place, config["_pretrained"])
    entries: Iterable[Tuple[Any, Any]]
    entries = config.items() if isinstance(config, dict) else enumerate(config)
    spelled = {key: spell_out(part, vocabulary, f"{place}.{key}") for key, part in entries}
    return spelled if isinstance(config, dict) else list(spelled.values())


def read_vocabulary(folder: str, config: Dict[str, Any]) -> Vocabulary:
    """Reads the vocabulary that is saved in `folder`, with the tokens that the config names."""
    options = config.get("vocabulary") or {}
    return Vocabulary.from_files(
        os.path.join(folder, "vocabulary"), options.get("padding_token"), options.get("oov_token")
    )


def _model_of_archive(part: Dict[str, Any], vocabulary: Vocabulary, place: str) -> Any:
    archive = part["archive_file"]
    with _opened(archive) as folder:
        config = Params.from_file(os.path.join(folder, CONFIG_NAME)).as_dict(quiet=True)
        differing = next(differing_entries(read_vocabulary(folder, config), vocabulary), None)
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
    """Opens a folder with the content of an archive, or the folder of a run without an archive."""
    path = str(cached_path(archive))
    return nullcontext(path) if os.path.isdir(path) else extracted_archive(path)
