"""
Errors that `allennlp` prints as one line, without a traceback.
"""

import difflib
import errno
import functools
import logging
import os
import select
import signal
import sys
from typing import Any, Iterator, Optional

from spigot_allennlp.compat.patching import patch

logger = logging.getLogger(__name__)

# System errors that concern a folder or a disk, not the program that writes there.
OF_THE_DISK = {
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "The quota of the disk is used up.",
    errno.EFBIG: "Files of that size are not allowed there.",
    errno.EROFS: "The file system is read-only.",
    errno.EIO: "The disk does not work.",
}
# These mean that a wrong path was named, perhaps one to read.
OF_THE_PATH = {
    errno.EACCES: "Its rights do not allow it.",
    errno.EPERM: "Its rights do not allow it.",
    errno.EISDIR: "It is a folder, where a file is needed.",
    errno.ENOTDIR: "A part of it is a file, where a folder is needed.",
    errno.EEXIST: "It is there already. Name another.",
    errno.EPIPE: "Its reader has ended.",
}


def plain_error(message: str) -> Exception:
    """A `ConfigurationError` whose message says everything. `main` prints only the message."""
    from allennlp.common.checks import ConfigurationError

    error = ConfigurationError(message)
    vars(error)["is_plain"] = True
    return error


def missing_part(path: str) -> str:
    """
    Returns which part of a path is missing, and the most similar name in its folder:
    `" There is no 'rnus' in '.', but 'runs'."`. Empty if no name is similar, or the folder cannot
    be read.
    """
    folder, *names = os.path.normpath(path).split(os.sep)
    folder = folder or os.sep
    if names and not os.path.isdir(folder) or not names:
        folder, names = os.curdir, [folder, *names]
    for name in names:
        if not os.path.lexists(os.path.join(folder, name)):
            try:
                near = difflib.get_close_matches(name, os.listdir(folder), 1)
            except OSError:  # an unreadable folder: the original error should be printed
                return ""
            return f" There is no {name!r} in {folder!r}, but {near[0]!r}." if near else ""
        folder = os.path.join(folder, name)
        if not os.path.isdir(folder):
            break
    return ""


def message_of(error: BaseException) -> Optional[str]:
    """The text to print for an error in place of a traceback; `None` for most errors."""
    if getattr(error, "is_plain", False):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        name, number = os.fsdecode(error.filename), error.errno or 0
        if number in OF_THE_DISK:
            return (
                f"{name}: {error.strerror}. {OF_THE_DISK[number]} What was written before is whole."
            )
        if number in OF_THE_PATH:
            return f"{name}: {error.strerror}. {OF_THE_PATH[number]}"
    return None


@patch(
    "allennlp.commands",
    since="AllenNLP 2.10.1 itself: each error ends in a trace, in which its message is hard to see",
    until="AllenNLP tells errors of its user from errors of its program",
)
def plain_errors_are_printed_as_a_line(module: Any) -> Iterator[None]:
    """
    The exit status is 1. With ALLENNLP_DEBUG set, the traceback is logged too. If the reader of
    standard output has ended, as `head` does, the command ends silently. If the user interrupts it,
    it ends by the signal, so that a loop in a shell ends, too. If a scheduler ends it (SIGTERM),
    the status is 143.
    """
    yield
    from allennlp.common.util import SigTermReceived

    run = module.main

    @functools.wraps(run)
    def main(*args: Any, **kwargs: Any) -> None:
        try:
            run(*args, **kwargs)
            if sys.stdout is not None:
                sys.stdout.flush()
        except KeyboardInterrupt:
            logger.debug("The trace of the interruption.", exc_info=True)
            sys.excepthook = functools.partial(say_interrupted, sys.excepthook)
            raise
        except SigTermReceived as error:
            logger.debug("The trace of the signal.", exc_info=True)
            print(str(error) or "Interrupted.", file=sys.stderr)
            sys.exit(128 + signal.SIGTERM)
        except Exception as error:
            if isinstance(error, BrokenPipeError) and has_no_reader(sys.stdout):
                # Otherwise the rest of the buffer would be written when the process ends, and fail.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            message = message_of(error)
            if message is None:
                raise
            logger.debug("The trace of the error below.", exc_info=True)
            command = sys.argv[1] if len(sys.argv) > 1 else ""
            sys.exit(f"allennlp {command}: {message}")

    module.main = main


def say_interrupted(otherwise: Any, kind: Any, error: BaseException, trace: Any) -> None:
    """Prints a line, instead of a trace, for an interruption by the user."""
    if issubclass(kind, KeyboardInterrupt):
        print(str(error) or "Interrupted.", file=sys.stderr)
    else:
        otherwise(kind, error, trace)


def has_no_reader(stream: Any) -> bool:
    """Returns whether a stream is a pipe that has no reader any more."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (AttributeError, OSError, ValueError):  # no poll on this system, or not a file
        return False


@patch(
    "allennlp.common.logging",
    since="AllenNLP 2.10.1 itself: where out.log cannot be written, each line of it is a trace",
    until="AllenNLP goes on without a log that cannot be written",
)
def a_log_that_cannot_be_written_is_given_up(module: Any) -> Iterator[None]:
    """One line says so."""
    yield
    prepare = module.prepare_global_logging

    @functools.wraps(prepare)
    def prepare_global_logging(*args: Any, **kwargs: Any) -> None:
        prepare(*args, **kwargs)
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.FileHandler):
                handler.handleError = functools.partial(give_up, handler)  # type: ignore[method-assign]

    module.prepare_global_logging = prepare_global_logging


def give_up(handler: logging.FileHandler, record: logging.LogRecord) -> None:
    """Says once why a log cannot be written, then stops writing it."""
    error = sys.exc_info()[1]
    handler.setLevel(sys.maxsize)
    if sys.stderr:
        print(f"{handler.baseFilename}: {error}. Going on without this log.", file=sys.stderr)


@patch(
    "allennlp.common.checks",
    since="a current PyTorch (2.13): torch.device(0) fails where there is no GPU, with no way out",
    until="AllenNLP counts the devices before it makes one",
)
def a_missing_gpu_is_named_with_the_way_out(module: Any) -> Iterator[None]:
    yield
    check = module.check_for_gpu

    @functools.wraps(check)
    def check_for_gpu(device: Any) -> None:
        try:
            check(device)
        except (RuntimeError, module.ConfigurationError) as error:
            raise plain_error(
                f"cuda_device is {device}, but PyTorch finds no such GPU here. Take the CPU: "
                "--cuda-device -1, or, to train, -o '{\"trainer.cuda_device\": -1}'."
            ) from error

    module.check_for_gpu = check_for_gpu
