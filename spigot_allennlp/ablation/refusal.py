"""Finds out before any training which variants make no sense."""

import copy
import logging
from typing import Any, Dict, Iterator, Optional, Tuple

from allennlp.common import Params
from allennlp.models import Model

from spigot_allennlp.modules.structured_argmax_layer import StructuredArgmaxLayer

PARAMETERS = logging.getLogger("allennlp.common.params")

# A part of a config with just these keys is a layer.
KEYS = {"structure", "estimator"}


def reason_to_refuse(config: Dict[str, Any]) -> Optional[str]:
    """
    Why this config cannot be trained, as far as that can be told without its data: its model is not
    registered, or one of its layers cannot be built, because the name of an estimator or of a
    structure is not registered, an option is unknown or out of range, or the two do not go
    together. `None` if nothing is found.
    """
    model = config.get("model", {})
    try:
        Model.by_name(model.get("type", ""))
    except Exception as error:
        return f"model: {error}"
    # Whoever builds from a config has every parameter logged; this is only a trial.
    disabled, PARAMETERS.disabled = PARAMETERS.disabled, True
    place = "model"
    try:
        for place, layer in layers(model, "model"):  # noqa: B007 (the last place is the culprit's)
            StructuredArgmaxLayer.from_params(Params(copy.deepcopy(layer)))
    except Exception as error:  # ConfigurationError, and whatever a wrong type leads to
        return f"{place}: {error}"
    finally:
        PARAMETERS.disabled = disabled
    return None


def layers(part: Any, place: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """The configs of all `StructuredArgmaxLayer`s in a part of a config, with their places."""
    if isinstance(part, dict):
        if part.keys() == KEYS:
            yield place, part
        for key, value in part.items():
            yield from layers(value, f"{place}.{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from layers(value, f"{place}.{number}")
