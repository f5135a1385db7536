"""Which libraries take part: ours, and the peers that can be imported."""

import importlib
import inspect
from dataclasses import dataclass
from functools import cache
from typing import Dict, List

from benchmarks.judgement import OURS
from benchmarks.peers.library import Library

# By name, the module that adapts it.
MODULES: Dict[str, str] = {
    OURS: "benchmarks.ours",
    "pytorch-struct": "benchmarks.peers.torch_struct",
    "supar": "benchmarks.peers.supar",
    "entmax": "benchmarks.peers.entmax",
    "allennlp": "benchmarks.peers.allennlp",
}

# Peers that there is no way to install, and why.
OUT_OF_REACH: Dict[str, str] = {
    "lp-sparsemap": "cannot be built: its distribution on PyPI (1.0) lacks the sources that it "
    "compiles, lpsmap/ad3qp/factor_graph.pyx; so the projections onto trees have no peer",
}


@dataclass(frozen=True)
class Found:
    """The libraries that can be imported, and for the others why not."""

    libraries: Dict[str, Library]
    failures: Dict[str, str]

    @property
    def modules(self) -> List[str]:
        return [MODULES[name] for name in self.libraries]


def find() -> Found:
    """Imports them all."""
    libraries, failures = {}, dict(OUT_OF_REACH)
    for name in MODULES:
        try:
            libraries[name] = load(name)
        except Exception as error:  # whatever another's code may raise while it is imported
            failures[name] = "cannot be imported: " + describe(error)
    return Found(libraries, failures)


@cache
def load(name: str) -> Library:
    module = importlib.import_module(MODULES[name])
    (library,) = (
        member
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Library) and member.__module__ == module.__name__
    )
    return library()


def describe(error: BaseException) -> str:
    """The kind of an exception and its first line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")
