"""
Processes that are forked for a test, so that they need not import the libraries anew, which takes
some ten seconds: from the process of the tests, which has imported everything (`FORK`), or from one
that has imported what AllenNLP needs, but neither AllenNLP nor our package (`LIBRARIES_ONLY`).
"""

import logging
import multiprocessing
import os
import runpy
import sys
import tempfile
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Callable

import torch

ROOT = Path(__file__).parents[1]

LIBRARIES = [
    *("torch", "transformers.models.bert.modeling_bert", "spacy", "nltk", "scipy.stats"),
    *("sklearn.metrics", "numba", "h5py", "fairscale.nn", "tensorboardX", "matplotlib.pyplot"),
]

FORK: Any = multiprocessing.get_context("fork")
LIBRARIES_ONLY: Any = multiprocessing.get_context("forkserver")
LIBRARIES_ONLY.set_forkserver_preload(LIBRARIES)


def start(context: Any, function: Callable, *arguments: str, folder: Path, output: Path) -> Any:
    """
    Starts `function(*arguments)`, one of the functions below, in a process of its own.

    # Parameters

    context : `BaseContext`
        `FORK` or `LIBRARIES_ONLY`.
    folder : `Path`
        The working directory.
    output : `Path`
        The file of what is printed to stdout; `output` with the suffix ".err" is that of stderr.
    """
    process = context.Process(target=_execute, args=(function, arguments, folder, output))
    process.start()
    return process


def run(
    context: Any, function: Callable, *arguments: str, folder: Path = ROOT, timeout: float = 600
) -> "CompletedProcess[str]":
    """Does so, and waits for its end; a process that takes longer than `timeout` is killed."""
    with tempfile.TemporaryDirectory() as place:
        output = Path(place, "output")
        process = start(context, function, *arguments, folder=folder, output=output)
        process.join(timeout)
        process.kill()
        process.join()
        printed = [_text(output), _text(output.with_suffix(".err"))]
        return CompletedProcess(arguments, process.exitcode, *printed)


def code(text: str) -> None:
    """`python -c TEXT`"""
    exec(compile(text, "<code of a test>", "exec"), {"__name__": "__main__"})


def module(name: str, *arguments: str) -> None:
    """`python -m NAME ARGUMENTS`"""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def allennlp(*arguments: str) -> None:
    """`allennlp ARGUMENTS`"""
    from allennlp.__main__ import run

    sys.argv = ["allennlp", *arguments]
    run()


def _execute(function: Callable, arguments: Any, folder: Path, output: Path) -> None:
    os.chdir(folder)
    for number, file in ((1, output), (2, output.with_suffix(".err"))):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), number)
    # the test's own are those of pytest
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", buffering=1, closefd=False) for number in (1, 2)
    )
    logging.getLogger().handlers.clear()
    torch.set_num_threads(1)
    function(*arguments)


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""
