"""Finds out before any training which variants make no sense."""

import copy
import inspect
import logging
import types
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Type,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from allennlp.common import Lazy, Params, Registrable
from allennlp.data import Vocabulary
from allennlp.models import Model

from spigot_allennlp.modules.structured_argmax_layer import StructuredArgmaxLayer

PARAMETERS = logging.getLogger("allennlp.common.params")

# Where no constructor says what is expected, a part of a config with these keys is a layer.
KEYS = {"structure", "estimator"}


class Layer(NamedTuple):
    """
    # Parameters

    place : `str`
        Dotted path into the config.
    kind : `Type[StructuredArgmaxLayer]`
        The class that the constructor around it expects.
    config : `Dict[str, Any]`
    """

    place: str
    kind: Type[StructuredArgmaxLayer]
    config: Dict[str, Any]


def reason_to_refuse(config: Dict[str, Any]) -> Optional[str]:
    """
    Why this config cannot be trained, as far as that can be told without its data: its model is not
    registered, or one of its layers cannot be built, because the name of an estimator or of a
    structure is not registered, an option is unknown or out of range, or the two do not go
    together. `None` if nothing is found. What a vocabulary would have to say (is there such a
    role?) is left to the training, which has one.
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
        for place, kind, layer in layers(model, "model", Model):  # noqa: B007 (the last place is the culprit's)
            kind.from_params(Params(copy.deepcopy(layer)), vocab=_EveryEntry())
    except Exception as error:  # ConfigurationError, and whatever a wrong type leads to
        return f"{place}: {error}"
    finally:
        PARAMETERS.disabled = disabled
    return None


def layers(part: Any, place: str, expected: Any) -> Iterator[Layer]:
    """
    The layers in a part of a config, by the annotations of the constructors: a layer stands where
    one of them expects a `StructuredArgmaxLayer` or a subclass, whatever its keys.

    # Parameters

    part : `Any`
    place : `str`
        Of the part in the config.
    expected : `Any`
        The annotation of the parameter that the part is for; `Any` if there is none.
    """
    options = _options(expected)
    if isinstance(part, list):
        items = [item for one in options for item in get_args(one)] or [Any]
        for number, value in enumerate(part):
            yield from layers(value, f"{place}.{number}", Union[tuple(items)])
    if not isinstance(part, dict):
        return
    kinds = [one for one in options if inspect.isclass(one) and get_origin(one) is None]
    kind = next((one for one in kinds if issubclass(one, StructuredArgmaxLayer)), None)
    if kind is None and Any in options and part.keys() >= KEYS:
        kind = StructuredArgmaxLayer
    if kind is not None:
        yield Layer(place, kind, part)
        kinds = [kind]
    values = [get_args(one)[-1] for one in options if get_args(one)] or [Any]
    parameters: Dict[str, Any] = {}
    for one in kinds:
        parameters.update(_parameters(one, part))
    for key, value in part.items():
        wanted = parameters.get(key, Union[tuple(values)])
        yield from layers(value, f"{place}.{key}", wanted)


def _options(annotation: Any) -> List[Any]:
    """What an annotation stands for, without `Optional`, `Union` and `Lazy`."""
    if get_origin(annotation) in (Union, types.UnionType, Lazy):
        return [one for inner in get_args(annotation) for one in _options(inner)]
    return [annotation]


def _parameters(kind: Any, part: Dict[str, Any]) -> Dict[str, Any]:
    """
    The annotations of the parameters of the constructor that builds `part`, by name; those of base
    classes, too, for a constructor may hand them on. None where they cannot be told.
    """
    constructor = "__init__"
    try:
        if issubclass(kind, Registrable):
            kind, name = kind.resolve_class_name(part.get("type") or kind.default_implementation)
            constructor = name or constructor
        hints: Dict[str, Any] = {}
        for base in reversed(kind.__mro__):
            if constructor in vars(base):
                hints.update(get_type_hints(getattr(base, constructor)))
        return hints
    except Exception:  # what is wrong here is said where it is built
        return {}


class _EveryEntry(Vocabulary):
    """A vocabulary in which whatever is looked up is there."""

    def get_token_to_index_vocabulary(self, namespace: str = "tokens") -> Dict[str, int]:
        return _Numbers()


class _Numbers(Dict[str, int]):
    """A number of its own for every key, from 2, behind those of padding and unknown."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> int:
        return self.setdefault(key, len(self) + 2)
