"""
The configs of this package, under names that work in any folder.

`spigot_allennlp:copying/truncated.jsonnet` is `training_config/copying/truncated.jsonnet`. An
installation keeps this folder in the package, a checkout beside it. Such a name can be used
wherever AllenNLP reads a config.
"""

import difflib
import functools
import os
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List

from spigot_allennlp.compat.patching import patch
from spigot_allennlp.compat.plain_errors import plain_error

PACKAGE = "spigot_allennlp"
PREFIX = f"{PACKAGE}:"
_IMPORT = re.compile(r"""\bimport\s+(['"])(?P<file>[^'"]+)\1""")


def folder() -> Path:
    """Returns the folder of the configs."""
    package = Path(__file__).parents[1]
    installed = package / "training_config"
    return installed if installed.is_dir() else package.parent / "training_config"


def names() -> List[str]:
    """
    Returns the names of all configs, and of the variant files for `allennlp ablate`, without the
    prefix, in alphabetical order.
    """
    here = folder()
    files = [*here.rglob("*.jsonnet"), *here.glob("ablations/*.libsonnet")]
    return sorted(file.relative_to(here).as_posix() for file in files)


def description(name: str) -> str:
    """Returns the first sentence of the comment at the top of a config."""
    comment = []
    for line in (folder() / name).read_text(encoding="utf-8").splitlines():
        if not line.startswith("//"):
            break
        comment.append(line.lstrip("/ "))
    return re.split(r"(?<!\bal\.)(?<=\.)\s", " ".join(comment))[0]


def resolved(path: Any) -> Any:
    """
    Returns the file that a path stands for: one of the package if the path begins with the prefix,
    otherwise the path itself.

    # Raises

    `FileNotFoundError` if the package has no config of that name. The message lists the most
    similar ones.
    """
    if not os.fspath(path).startswith(PREFIX):
        return path
    name = os.fspath(path)[len(PREFIX) :]
    file = folder() / name
    if not file.is_file() or ".." in file.parts:
        near = _alike(name)
        raise FileNotFoundError(
            f"there is no config {name!r} in spigot_allennlp. "
            + (f"Alike: {', '.join(near)}. " if near else "")
            + "All of them: allennlp configs"
        )
    return str(file)


def _alike(name: str) -> List[str]:
    """Returns up to three configs that are most like `name`, as a whole or in their last part."""
    if "/" not in name:
        ends = {other.rpartition("/")[2] for other in names()}
        near = difflib.get_close_matches(name, ends, 1, 0.8)
        if near:
            return [other for other in names() if other.rpartition("/")[2] == near[0]][:3]
    return difflib.get_close_matches(name, names(), 3, 0.5)


def with_imports(name: str) -> Dict[str, str]:
    """
    Returns the text of a config and of everything it imports, directly or indirectly, by name.

    # Raises

    `FileNotFoundError` if the package has no config of that name.
    """
    texts: Dict[str, str] = {}
    waiting = [Path(resolved(PREFIX + name)).resolve()]
    root = folder().resolve()
    while waiting:
        file = waiting.pop()
        key = file.relative_to(root).as_posix()
        if key not in texts:
            texts[key] = file.read_text(encoding="utf-8")
            imported = (match["file"] for match in _IMPORT.finditer(texts[key]))
            waiting += [(file.parent / other).resolve() for other in imported]
    return texts


@patch(
    "allennlp.common.params",
    since="AllenNLP 2.10.1 itself: a package cannot bring configs that are found by name",
    until="AllenNLP lets a package do so",
)
def configs_of_the_package_have_names(module: Any) -> Iterator[None]:
    yield
    read = module.Params.from_file.__func__

    @functools.wraps(read)
    def from_file(cls: Any, params_file: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return read(cls, resolved(params_file), *arguments, **options)
        except FileNotFoundError as error:
            name = os.fspath(params_file).removeprefix("training_config/")
            of_ours = f" This package has one of that name: {PREFIX}{name}" * (name in names())
            raise plain_error(f"{error}{of_ours}") from error

    module.Params.from_file = classmethod(from_file)


@patch(
    "allennlp.common.plugins",
    since="AllenNLP 2.10.1 itself: an installed package is a plugin only where a file says so",
    until="AllenNLP finds plugins by entry points",
)
def this_package_is_a_plugin_in_any_folder(module: Any) -> Iterator[None]:
    yield
    discover = module.discover_plugins

    @functools.wraps(discover)
    def discover_plugins() -> Iterator[str]:
        yield PACKAGE
        yield from (plugin for plugin in discover() if plugin != PACKAGE)

    module.discover_plugins = discover_plugins
