"""Functions in files of their own, so that what is compiled of them is kept beside these files."""

import importlib.util
from pathlib import Path
from typing import Callable


def function_in_file(path: Path, name: str, result: str) -> Callable:
    """A function of a `number`, with the `result` given as an expression."""
    path.write_text(f"def {name}(number):\n    return {result}\n")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
