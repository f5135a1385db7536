"""A run's archive needs no other archive, though the model was made from one."""

import json
import logging
from pathlib import Path
from typing import Any, Dict, Optional

from allennlp.common import Params
from allennlp.models import Model
from allennlp.models.archival import CONFIG_NAME
from allennlp.training import GradientDescentTrainer, TrainerCallback

from spigot_allennlp.callbacks.archived_parts import read_vocabulary, spell_out
from spigot_allennlp.compat.whole_files import write

logger = logging.getLogger(__name__)

AS_GIVEN = "config_as_given.json"


@TrainerCallback.register("self_contained")
class SelfContained(TrainerCallback):
    """
    Of a model with a part that was trained before, `{"type": "pretrained", "archive_file": ...}` or
    `{"type": "from_archive", ...}`, AllenNLP archives weights and vocabulary, those of the part
    included, but a config that names the part's archive. Should that be moved or deleted, the new
    archive cannot be loaded.

    With this callback it can. When training has ended, just before AllenNLP archives the model,
    `config.json` is given the part's own config in the place of its archive's name. The config as
    it was given remains beside it, in `config_as_given.json`. The archives are looked into when
    training starts, and may be gone when it ends. Before `config.json` is written, the model is
    loaded by what it will hold: if that fails, it is left as it was, with a warning.

    A run that is interrupted keeps its config; so an archive that AllenNLP makes of an interrupted
    run still needs the other. After the end `--recover` takes the config as it was given.

    Registered as a `TrainerCallback` with name "self_contained".
    """

    def __init__(self, serialization_dir: str) -> None:
        super().__init__(serialization_dir)
        self._as_given = ""
        self._spelled_out: Optional[Dict[str, Any]] = None

    def on_start(
        self, trainer: GradientDescentTrainer, is_primary: bool = True, **kwargs: Any
    ) -> None:
        super().on_start(trainer, is_primary, **kwargs)
        file = Path(self.serialization_dir, CONFIG_NAME)
        if not is_primary or not file.exists():  # it is `allennlp train` that writes the file
            return
        self._as_given = file.read_text(encoding="utf-8")
        config = json.loads(self._as_given)
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
        # Whatever may go wrong, a training that may have taken days is not to end with it.
        try:
            Model.load(Params(self._spelled_out).duplicate(), self.serialization_dir)
        except Exception:
            logger.warning("The archive of this run will need those it names.", exc_info=True)
            return
        self._write(AS_GIVEN, self._as_given)
        self._write(CONFIG_NAME, json.dumps(self._spelled_out, indent=4))
        logger.info("%s needs no other archive now. As given: %s.", CONFIG_NAME, AS_GIVEN)

    def _write(self, name: str, text: str) -> None:
        write(Path(self.serialization_dir, name), text)
