"""Validates a config before training by building the structured layers that it names."""

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

from spigot_allennlp.layers.structured_argmax_layer import StructuredArgmaxLayer

PARAMS_LOGGER = logging.getLogger("allennlp.common.params")

# Where no constructor tells what is expected, a part of a config with these keys is a layer.
LAYER_KEYS = {"structure", "estimator"}


class LayerConfig(NamedTuple):
    """
    A part of a config from which a layer is built.

    # Parameters

    place : `str`
        The dotted path of the part in the config.
    layer_class : `Type[StructuredArgmaxLayer]`
        The class that the constructor around it expects.
    config : `Dict[str, Any]`
    """

    place: str
    layer_class: Type[StructuredArgmaxLayer]
    config: Dict[str, Any]


def config_error(config: Dict[str, Any]) -> Optional[str]:
    """
    Says why a config cannot be trained, as far as this can be known without its data: its model is
    not registered, or one of its layers cannot be built. A layer cannot be built if the name of its
    estimator or structure is not registered, an option is unknown or out of range, or the two do
    not go together. Only training shows whether the vocabulary has what a config names, such as a
    role.

    # Returns

    `Optional[str]`
        The place in the config and what is wrong there; `None` if nothing is wrong.
    """
    model = config.get("model", {})
    try:
        Model.by_name(model.get("type", ""))
    except Exception as error:
        return f"model: {error}"
    # AllenNLP logs every parameter of what it builds, but these layers are only built as a check.
    was_disabled, PARAMS_LOGGER.disabled = PARAMS_LOGGER.disabled, True
    place = "model"
    try:
        for layer in find_layers(model, "model", Model):
            place = layer.place
            params = Params(copy.deepcopy(layer.config))
            layer.layer_class.from_params(params, vocab=_VocabularyOfEverything())
    except Exception as error:  # ConfigurationError, and any error that a wrong type causes
        return f"{place}: {error}"
    finally:
        PARAMS_LOGGER.disabled = was_disabled
    return None


def find_layers(part: Any, place: str, expected: Any) -> Iterator[LayerConfig]:
    """
    Finds the layers in a part of a config by the annotations of the constructors: there is a layer
    wherever a constructor expects a `StructuredArgmaxLayer` or a subclass, whatever its keys.

    # Parameters

    part : `Any`
    place : `str`
        The dotted path of the part in the config.
    expected : `Any`
        The annotation of the parameter that gets the part; `Any` if there is none.
    """
    allowed = _allowed_types(expected)
    if isinstance(part, list):
        items = [item for option in allowed for item in get_args(option)] or [Any]
        for number, value in enumerate(part):
            yield from find_layers(value, f"{place}.{number}", Union[tuple(items)])
    if not isinstance(part, dict):
        return
    # The classes that may be built from this part. A layer is among them, or known by its keys.
    classes = [option for option in allowed if inspect.isclass(option) and not get_origin(option)]
    layer_class = next((cls for cls in classes if issubclass(cls, StructuredArgmaxLayer)), None)
    if layer_class is None and Any in allowed and part.keys() >= LAYER_KEYS:
        layer_class = StructuredArgmaxLayer
    if layer_class is not None:
        yield LayerConfig(place, layer_class, part)
        classes = [layer_class]
    # Their constructors' annotations say what each parameter may be.
    annotations: Dict[str, Any] = {}
    for cls in classes:
        annotations.update(_constructor_annotations(cls, part))
    # A key that is not a parameter may be of type `Value`, if a `Dict[str, Value]` is expected.
    values = [get_args(option)[-1] for option in allowed if get_args(option)] or [Any]
    for key, value in part.items():
        annotation = annotations.get(key, Union[tuple(values)])
        yield from find_layers(value, f"{place}.{key}", annotation)


def _allowed_types(annotation: Any) -> List[Any]:
    """Lists the types that an annotation allows, with `Optional`, `Union` and `Lazy` removed."""
    if get_origin(annotation) in (Union, types.UnionType, Lazy):
        return [option for inner in get_args(annotation) for option in _allowed_types(inner)]
    return [annotation]


def _constructor_annotations(cls: Any, part: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the annotations of the parameters of the constructor that builds `part`, by name. They
    include those of base classes, since a constructor may pass them on. Empty if nothing is known.
    """
    constructor = "__init__"
    try:
        if issubclass(cls, Registrable):
            cls, name = cls.resolve_class_name(part.get("type") or cls.default_implementation)
            constructor = name or constructor
        hints: Dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            if constructor in vars(base):
                hints.update(get_type_hints(getattr(base, constructor)))
        return hints
    except Exception:  # building the layer will show what is wrong
        return {}


class _VocabularyOfEverything(Vocabulary):
    """A vocabulary that has an entry for every lookup."""

    def get_token_to_index_vocabulary(self, namespace: str = "tokens") -> Dict[str, int]:
        return _NumberEveryKey()


class _NumberEveryKey(Dict[str, int]):
    """Gives every key that is looked up the next index, from 2 on, after padding and unknown."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> int:
        return self.setdefault(key, len(self) + 2)
