"""
Bases of the classes that a config can name, which are AllenNLP's once that is imported.

Structures, projections, estimators and the layer work without AllenNLP, and importing them does not
import AllenNLP, which takes seconds. Until AllenNLP is imported, they have a registry of their own.
From then on, AllenNLP's class of the same name is the base of each class here. `Structure`, for
example, is then one of AllenNLP's `Registrable`s, in its registry and with its `from_params`.
"""

import difflib
import sys
from collections import defaultdict
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    ClassVar,
    DefaultDict,
    Dict,
    List,
    Optional,
    Tuple,
    Type,
    TypeVar,
)

Class = TypeVar("Class", bound=type)
Kind = TypeVar("Kind", bound="_Registrable")


class _ConfigurationError(Exception):
    """Stands in for AllenNLP's class until that is imported. So do the classes below."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _FromParams:
    if TYPE_CHECKING:

        @classmethod
        def from_params(cls, params: Any, **extras: Any) -> Any:
            """Returns an object that AllenNLP constructs from a config."""


class _Registrable(_FromParams):
    _registry: ClassVar[DefaultDict[type, Dict[str, Tuple[type, Optional[str]]]]] = defaultdict(
        dict
    )
    default_implementation: Optional[str] = None

    @classmethod
    def register(
        cls, name: str, constructor: Optional[str] = None, exist_ok: bool = False
    ) -> Callable[[Class], Class]:
        """
        Registers the decorated class, and which of its methods constructs an object from a config.
        """

        def add(subclass: Class) -> Class:
            registry = cls._registry[cls]
            if name in registry and not exist_ok:
                raise ConfigurationError(
                    f"Cannot register {name} as {cls.__name__}; "
                    f"name already in use for {registry[name][0].__name__}"
                )
            registry[name] = subclass, constructor
            return subclass

        return add

    @classmethod
    def by_name(cls: Type[Kind], name: str) -> Callable[..., Kind]:
        """Returns the class, or its constructor, that is registered under a name."""
        subclass, constructor = cls.resolve_class_name(name)
        return getattr(subclass, constructor) if constructor else subclass

    @classmethod
    def resolve_class_name(cls, name: str) -> Tuple[Any, Optional[str]]:
        """Returns the class that is registered under a name, and the name of its constructor."""
        registry = cls._registry.get(cls, {})
        if name in registry:
            return registry[name]
        similar = difflib.get_close_matches(name, cls.list_available(), n=1, cutoff=0.8)
        raise ConfigurationError(
            f"'{name}' is not a registered name for '{cls.__name__}'"
            + (f", did you mean '{similar[0]}'? " if similar else ". ")
            + "If your registered class comes from custom code, you'll need to import "
            "the corresponding modules. If you're using AllenNLP from the command-line, "
            "this is done by using the '--include-package' flag, or by specifying your imports "
            "in a '.allennlp_plugins' file. Alternatively, you can specify your choices "
            'using fully-qualified paths, e.g. {"model": "my_module.models.MyModel"} '
            "in which case they will be automatically imported correctly."
        )

    @classmethod
    def list_available(cls) -> List[str]:
        """Lists the registered names, the default first."""
        default, names = cls.default_implementation, list(cls._registry.get(cls, {}))
        if default is not None and default not in names:
            raise ConfigurationError(f"Default implementation {default} is not registered")
        return sorted(names, key=lambda name: name != default)


class ConfigurationError(_ConfigurationError):
    """An option or a combination of options is wrong; `message` says what, and how to fix it."""


class FromParams(_FromParams):
    """A class whose objects AllenNLP constructs from the annotations of its constructor."""


class Registrable(_Registrable):
    """A class whose subclasses have names, with which a config chooses one."""


def join_allennlp() -> None:
    """
    Puts AllenNLP's classes in place of those that stand in for them. AllenNLP must be imported.
    `compat/registration.py` calls this when that happens.
    """
    common = {name: sys.modules[f"allennlp.common.{name}"] for name in _MODULES}
    theirs = common["registrable"].Registrable
    for base, registered in _Registrable._registry.items():
        theirs._registry[base].update(registered)
    ConfigurationError.__bases__ = (common["checks"].ConfigurationError,)
    FromParams.__bases__ = (common["from_params"].FromParams,)
    Registrable.__bases__ = (theirs,)


_MODULES = "checks", "from_params", "registrable"
if "allennlp.common.registrable" in sys.modules:
    join_allennlp()
