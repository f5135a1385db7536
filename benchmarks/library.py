"""The libraries that are compared: what each has to look like, and which of them are installed."""

import importlib
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any, Callable, Dict, List, Sequence, Tuple

import torch
from torch import Tensor

from benchmarks.problem import NUM_TAGS, Problem

OURS = "ours"

#: The class that adapts each library, by its name in the report.
ADAPTERS: Dict[str, str] = {
    OURS: "benchmarks.ours.Ours",
    "pytorch-struct": "benchmarks.peers.torch_struct.TorchStruct",
    "supar": "benchmarks.peers.supar.Supar",
    "entmax": "benchmarks.peers.entmax.Entmax",
    "allennlp": "benchmarks.peers.allennlp.AllenNLP",
    "torch": "benchmarks.peers.torch.Torch",
    "scipy": "benchmarks.peers.scipy.SciPy",
    "tslearn": "benchmarks.peers.tslearn.TsLearn",
    "pyepo": "benchmarks.peers.pyepo.PyEPO",
}

#: The modules of peers that offer none of the operations, and have rows of their own.
OTHERS: Dict[str, str] = {"snntorch": "snntorch"}

#: Peers that cannot be installed, and why.
UNAVAILABLE: Dict[str, str] = {
    "lp-sparsemap": "cannot be built: its distribution on PyPI (1.0) lacks the sources that it "
    "compiles, lpsmap/ad3qp/factor_graph.pyx; so the projections onto trees have no peer",
}


class NotOffered(Exception):
    """A library lacks what an operation needs; the message says what."""


class PeerFailure(Exception):
    """A library that is not ours fails; the message says which, and how."""


@dataclass(frozen=True)
class Call:
    """
    An operation of a library, ready to be run.

    # Parameters

    run : `Callable[[], Any]`
        The operation itself, on inputs that were converted beforehand: only this is measured.
    read : `Callable[[Any], Tensor]`, optional (default = identity)
        Brings what `run` returned into our conventions: what it returned the first time, if it
        draws random numbers.
    """

    run: Callable[[], Any]
    read: Callable[[Any], Tensor] = lambda result: result


class Library:
    """
    A library. For each operation that it offers it has a method `operation(problem) -> Call` of
    that name, which copies what the library would write into.

    What they return, after `read`: of argmax operations zeros and ones; of marginals, gradients and
    projections as many numbers as there are scores, zero on arcs that no tree may have; of
    log-partitions a number for each sentence. Of layers the value and the gradient, stacked; and
    with them, where a layer perturbs its scores, the noise that it drew, `NUM_SAMPLES` times the
    shape of the scores. Of SPO+ the losses and the gradient, joined in a row for each instance.
    """

    distribution: str
    """The name under which it is installed."""

    @property
    def version(self) -> str:
        return metadata.version(self.distribution)

    def offers(self, operation: str) -> bool:
        """Returns whether the library has this operation."""
        return hasattr(self, operation)

    def prepare(self, operation: str, problem: Problem) -> Call:
        """
        Returns an operation on a problem, ready to be run.

        # Raises

        `NotOffered` if something is missing that the operation needs.
        """
        if not self.offers(operation):
            raise NotOffered(f"{type(self).__name__} offers no {operation}")
        return getattr(self, operation)(problem)


@dataclass(frozen=True)
class Libraries:
    """
    All libraries.

    # Parameters

    installed : `Dict[str, Library]`
    failures : `Dict[str, str]`
        Why the others cannot be imported.
    """

    installed: Dict[str, Library]
    failures: Dict[str, str]

    @property
    def modules(self) -> List[str]:
        """The modules of those that are installed."""
        return [type(library).__module__ for library in self.installed.values()]


def load_all(without: Sequence[str] = (), others: Sequence[str] = ()) -> Libraries:
    """
    Imports all libraries, as far as that is possible.

    # Parameters

    without : `Sequence[str]`, optional (default = `()`)
        The names of those that are left out on purpose.
    others : `Sequence[str]`, optional (default = `()`)
        Those of `OTHERS` that are needed. They have no operation, and so are only among the
        failures, if they are missing.
    """
    installed: Dict[str, Library] = {}
    failures = {**UNAVAILABLE, **dict.fromkeys(without, "is left out")}
    for name in (*ADAPTERS, *others):
        if name not in failures:
            try:
                if name in OTHERS:
                    importlib.import_module(OTHERS[name])
                else:
                    installed[name] = load(name)
            except Exception as error:  # whatever another's code may raise while it is imported
                failures[name] = "cannot be imported: " + describe_exception(error)
    return Libraries(installed, failures)


@cache
def load(name: str) -> Library:
    """Imports a library by its name in the report."""
    module, _, adapter = ADAPTERS[name].rpartition(".")
    return getattr(importlib.import_module(module), adapter)()


def describe_exception(error: BaseException) -> str:
    """Returns the kind of an exception and its first line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}".rstrip(": ")


# ---- What several adapters need


def backward_through(
    marginals: Callable[[Tensor], Tensor], scores: Tensor, direction: Tensor
) -> Callable[[], Tensor]:
    """
    Returns a function that computes marginals, and the gradient of their inner product with
    `direction`: the backward pass of a network that has marginals in its middle.
    """

    def run() -> Tensor:
        leaf = scores.detach().requires_grad_()
        (gradient,) = torch.autograd.grad((marginals(leaf) * direction).sum(), leaf)
        return gradient

    return run


def value_and_gradient(
    layer: Callable[[Tensor], Tensor], scores: Tensor, direction: Tensor
) -> Callable[[], Tuple[Tensor, Tensor]]:
    """
    Returns a function that computes what a layer makes of the scores, and the gradient of its inner
    product with `direction`.
    """

    def run() -> Tuple[Tensor, Tensor]:
        leaf = scores.detach().requires_grad_()
        value = layer(leaf)
        (gradient,) = torch.autograd.grad(value, leaf, direction)
        return value.detach(), gradient

    return run


def arcs_from_heads(heads: Tensor) -> Tensor:
    """
    Returns zeros and ones, `(batch_size, length + 1, length + 1)`, from the heads of all positions,
    `(batch_size, length + 1)`; that of the root is ignored.
    """
    arcs = torch.nn.functional.one_hot(heads.long(), heads.size(1)).float()
    arcs[:, 0] = 0
    return arcs


def one_hot_tags(tags: Tensor) -> Tensor:
    """Returns zeros and ones, `(batch_size, length, num_tags)`, from `(batch_size, length)`."""
    return torch.nn.functional.one_hot(tags.long(), NUM_TAGS).float()
