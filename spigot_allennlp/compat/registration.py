"""
Patches that make the names of this package's classes known to AllenNLP.

Classes are registered when their modules are imported. With `--include-package`, AllenNLP imports
all submodules. A plugin file and `import spigot_allennlp` import only the package itself, which is
light. The rest is then imported when AllenNLP first looks up an unknown name, or lists all names.
"""

import functools
import importlib
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error
from spigot_allennlp.compat.restrictions import restricted

PACKAGE = "spigot_allennlp"
HINT = (
    "Our configs have their defaults, and the names of our classes, from the package: import "
    f"{PACKAGE} before, as the command allennlp does."
)

# Set when the import of all packages begins: lookups during the import must not start it again.
_IMPORTED: List[str] = []


@patch(
    "allennlp.common.registrable",
    since="our package, which imports its classes late, so that importing it is cheap",
    until="AllenNLP imports a plugin's submodules, and finds plugins by what is installed",
)
def our_classes_are_registered_when_a_name_is_looked_up(module: Any) -> Iterator[None]:
    """
    Applies in a process that has imported our package. In others, the error for one of our names
    says where it is. Names that AllenNLP knows are found at once.
    """
    yield
    base = module.Registrable
    resolve, available = base.resolve_class_name.__func__, base.list_available.__func__

    @functools.wraps(resolve)
    def resolve_class_name(cls: Any, name: str) -> Any:
        if name not in base._registry.get(cls, {}):
            import_packages_of(cls)
        try:
            return resolve(cls, name)
        except module.ConfigurationError as error:
            if is_left_out() and is_ours(name):
                raise plain_error(
                    f"'{name}' is a {cls.__name__} of {PACKAGE}, which is not included.\n{HINT}"
                ) from error
            raise

    @functools.wraps(available)
    def list_available(cls: Any) -> List[str]:
        import_packages_of(cls)
        return available(cls)

    base.resolve_class_name = classmethod(resolve_class_name)
    base.list_available = classmethod(list_available)


@patch(
    "allennlp.common.registrable",
    since="AllenNLP 2.10.1 itself: a class that was asked for a name counts as one with names",
    until="its lookups leave the registry as it is",
)
def looking_up_a_name_changes_nothing(module: Any) -> Iterator[None]:
    """
    The registry is a `defaultdict`. `Embedding`, for example, is registered, but no names are
    registered below it. After a lookup in it, AllenNLP would choose among its names instead of
    building it.
    """
    yield
    base = module.Registrable
    for method in ("resolve_class_name", "list_available"):
        lookup = getattr(base, method).__func__
        setattr(base, method, classmethod(_without_a_trace(lookup, base._registry)))


def _without_a_trace(lookup: Callable[..., Any], registry: Dict[type, Any]) -> Callable[..., Any]:
    @functools.wraps(lookup)
    def look_up(cls: Any, *arguments: Any) -> Any:
        known = cls in registry
        try:
            return lookup(cls, *arguments)
        finally:
            if not known and not registry.get(cls):
                registry.pop(cls, None)

    return look_up


@patch(
    "allennlp.common.registrable",
    since="our package, parts of which work without AllenNLP, and may be imported before it",
    until="nobody uses these parts together with AllenNLP",
)
def our_bases_join_those_of_allennlp(module: Any) -> Iterator[None]:
    yield
    ours = sys.modules.get(f"{PACKAGE}.registrable")
    if ours is not None:
        ours.join_allennlp()


def import_packages_of(cls: Any) -> None:
    """
    Imports the packages that may have a subclass of `cls`. Commands are all in one package, which
    is imported alone, since AllenNLP lists them for `--help` and for each command that it does not
    know.
    """
    if cls.__name__ != "Subcommand":
        import_all_packages()
    elif not is_left_out():
        importlib.import_module(f"{PACKAGE}.commands")


def import_all_packages() -> None:
    """
    Imports our packages, and so every module that registers a class, once, if our package has been
    imported. The restrictions of an archive that is being loaded do not apply to this.
    """
    if is_left_out() or _IMPORTED:
        return
    _IMPORTED.append(PACKAGE)
    try:
        with restricted(None):
            for module in pkgutil.iter_modules(sys.modules[PACKAGE].__path__):
                if module.ispkg:
                    importlib.import_module(f"{PACKAGE}.{module.name}")
    except BaseException:
        _IMPORTED.clear()
        raise


def is_left_out() -> bool:
    """Whether our package has not been imported in this process."""
    return PACKAGE not in sys.modules


def is_ours(name: str) -> bool:
    """Whether a file of our package registers a class under a name. Imports none of the files."""
    registers = re.compile(rf"\.register\(\s*[\"']{re.escape(name)}[\"']")
    files = Path(__file__).parents[1].rglob("*.py")
    return any(registers.search(file.read_text(encoding="utf-8")) for file in files)
