"""Defines predictors that also draw what happened in the model."""

import logging
from pathlib import Path
from typing import Any, List, Optional, Sequence

from allennlp.common.checks import ConfigurationError
from allennlp.common.util import JsonDict, SigTermReceived
from allennlp.data import DatasetReader, Instance
from allennlp.models import Model

from spigot_allennlp.predictors.line_predictor import InputLine, LinePredictor, ReportedError

logger = logging.getLogger(__name__)


class PicturingPredictor(LinePredictor):
    """
    A predictor that draws pictures into a folder, if one is given. A subclass implements `draw`.

    A picture has the number of its input, from 1: the number of its line, or its place among all
    inputs, including those for which nothing could be predicted. If a picture cannot be drawn or
    written, the error is logged, and no more pictures are drawn. The outputs are not affected.

    # Parameters

    model : `Model`
    dataset_reader : `DatasetReader`
    frozen : `bool`, optional (default = `True`)
    on_error : `str`, optional (default = `"raise"`)
        See `LinePredictor`.
    pictures : `str`, optional
        The folder for pictures. It is created if it does not exist.

    # Raises

    `ConfigurationError` if the folder cannot be created.
    """

    def __init__(
        self,
        model: Model,
        dataset_reader: DatasetReader,
        frozen: bool = True,
        on_error: str = "raise",
        pictures: Optional[str] = None,
    ) -> None:
        super().__init__(model, dataset_reader, frozen, on_error)
        self._pictures: Optional[Path] = None
        self._num_numbered = 0
        if pictures is not None:
            self._pictures = Path(pictures)
            try:
                self._pictures.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(
                    f"pictures: the folder {pictures} cannot be made ({error.strerror}). Name "
                    "another."
                ) from error

    def draw(self, folder: Path, number: int, output: JsonDict) -> None:
        """Draws the pictures of an input, given its number and its output, into a folder."""
        raise NotImplementedError

    def draw_all(self, folder: Path) -> None:
        """Draws the pictures of all inputs together; by default there are none."""

    def finish(self) -> None:
        """
        Draws the pictures of all inputs together. `allennlp predict` calls this at the end of the
        input; in Python, call it after the last prediction.
        """
        self._attempt_to_draw(self.draw_all)

    def predict_batch_json(self, inputs: List[JsonDict]) -> List[JsonDict]:
        return self._drawn(inputs, super().predict_batch_json(inputs))

    def predict_batch_instance(self, instances: List[Instance]) -> List[JsonDict]:
        return self._drawn(instances, super().predict_batch_instance(instances))

    def _drawn(self, inputs: Sequence[Any], outputs: List[JsonDict]) -> List[JsonDict]:
        numbered = enumerate(zip(inputs, outputs, strict=True), start=self._num_numbered + 1)
        for place, (source, output) in numbered:
            number = source.number if isinstance(source, InputLine) else place
            if not isinstance(output, ReportedError):
                self._attempt_to_draw(self.draw, number, output)
        self._num_numbered += len(inputs)
        return outputs

    def _attempt_to_draw(self, draw: Any, *arguments: Any) -> None:
        if self._pictures is None:
            return
        try:
            draw(self._pictures, *arguments)
        except SigTermReceived:
            raise
        except Exception as error:
            logger.error(
                "From here on there are no pictures in %s: %s: %s",
                self._pictures,
                type(error).__name__,
                error,
                exc_info=not isinstance(error, OSError),
            )
            self._pictures = None
