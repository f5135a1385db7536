"""Validates a config before it is trained, by building the structured layers that it names."""

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

# Where no constructor says what is expected, a part of a config with these keys is a layer.
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
    Says why a config cannot be trained, as far as that can be known without its data: its model is
    not registered, or one of its layers cannot be built, because the name of an estimator or of a
    structure is not registered, an option is unknown or out of range, or the two do not go
    together. Whether the vocabulary has what a config names, a role say, shows only in the
    training.

    # Returns

    `Optional[str]`
        The place in the config and what is wrong there; `None` if nothing is.
    """
    model = config.get("model", {})
    try:
        Model.by_name(model.get("type", ""))
    except Exception as error:
        return f"model: {error}"
    # AllenNLP logs every parameter of what it builds; these layers are built only to be checked.
    was_disabled, PARAMS_LOGGER.disabled = PARAMS_LOGGER.disabled, True
    place = "model"
    try:
        for layer in find_layers(model, "model", Model):
            place = layer.place
            params = Params(copy.deepcopy(layer.config))
            layer.layer_class.from_params(params, vocab=_VocabularyOfEverything())
    except Exception as error:  # ConfigurationError, and whatever a wrong type leads to
        return f"{place}: {error}"
    finally:
        PARAMS_LOGGER.disabled = was_disabled
    return None


def find_layers(part: Any, place: str, expected: Any) -> Iterator[LayerConfig]:
    """
    Finds the layers in a part of a config by the annotations of the constructors: a layer stands
    where a constructor expects a `StructuredArgmaxLayer` or a subclass, whatever its keys.

    # Parameters

    part : `Any`
    place : `str`
        The dotted path of the part in the config.
    expected : `Any`
        The annotation of the parameter that the part is for; `Any` if there is none.
    """
    allowed = _allowed_types(expected)
    if isinstance(part, list):
        items = [item for option in allowed for item in get_args(option)] or [Any]
        for number, value in enumerate(part):
            yield from find_layers(value, f"{place}.{number}", Union[tuple(items)])
    if not isinstance(part, dict):
        return
    # The classes that may be built from this part; a layer is among them, or known by its keys.
    classes = [option for option in allowed if inspect.isclass(option) and not get_origin(option)]
    layer_class = next((cls for cls in classes if issubclass(cls, StructuredArgmaxLayer)), None)
    if layer_class is None and Any in allowed and part.keys() >= LAYER_KEYS:
        layer_class = StructuredArgmaxLayer
    if layer_class is not None:
        yield LayerConfig(place, layer_class, part)
        classes = [layer_class]
    # These say what each parameter of their constructors may be.
    annotations: Dict[str, Any] = {}
    for cls in classes:
        annotations.update(_constructor_annotations(cls, part))
    # A key that is no parameter may be a `Value`, where a `Dict[str, Value]` is expected.
    values = [get_args(option)[-1] for option in allowed if get_args(option)] or [Any]
    for key, value in part.items():
        annotation = annotations.get(key, Union[tuple(values)])
        yield from find_layers(value, f"{place}.{key}", annotation)


def _allowed_types(annotation: Any) -> List[Any]:
    """Lists the types that an annotation allows, without `Optional`, `Union` and `Lazy`."""
    if get_origin(annotation) in (Union, types.UnionType, Lazy):
        return [option for inner in get_args(annotation) for option in _allowed_types(inner)]
    return [annotation]


def _constructor_annotations(cls: Any, part: Dict[str, Any]) -> Dict[str, Any]:
    """
    Returns the annotations of the parameters of the constructor that builds `part`, by name; those
    of base classes, too, for a constructor may pass them on. Empty where nothing is known of them.
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
    except Exception:  # building the layer will say what is wrong
        return {}


class _VocabularyOfEverything(Vocabulary):
    """A vocabulary that has an entry for whatever is looked up."""

    def get_token_to_index_vocabulary(self, namespace: str = "tokens") -> Dict[str, int]:
        return _NumberEveryKey()


class _NumberEveryKey(Dict[str, int]):
    """Numbers every key that is looked up, from 2 on, behind padding and unknown."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> int:
        return self.setdefault(key, len(self) + 2)
