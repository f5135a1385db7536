"""
Writes files atomically: a reader finds either all of the old content or all of the new.

Used for AllenNLP's files and for ours. This module needs only the standard library.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import zipfile
from contextlib import contextmanager
from errno import EINVAL, ENOTSUP
from pathlib import Path
from typing import Any, BinaryIO, Iterator, List, Union

PathLike = Union[str, "os.PathLike[str]"]

# Hidden, since AllenNLP takes every visible file in a vocabulary's folder for a namespace.
UNFINISHED = re.compile(r"\..+\.\d+\.new")


@contextmanager
def replacing(path: PathLike) -> Iterator[str]:
    """
    Gives the block the name of a new file beside `path`. When the block ends, the file is
    synchronised to disk and replaces `path`. If the block raises, the new file is removed, and
    `path` is unchanged. A killed process leaves a file that `remove_unfinished` finds. If `path` is
    a link, the link stays, and its target is replaced.

    # Raises

    `OSError` with the name `path`, if it cannot be written.
    """
    path = os.path.realpath(path) if os.path.islink(path) else os.fspath(path)
    with errors_named(path) as new:
        try:
            yield new
            synchronise(new)
            os.replace(new, path)
        finally:
            if os.path.lexists(new):
                os.remove(new)
        synchronise(os.path.dirname(path) or ".")


@contextmanager
def errors_named(path: str) -> Iterator[str]:
    """
    Gives the block the name of a new file or folder beside `path`. Errors name `path` instead.
    """
    # A process ID alone is not unique: threads share it, and containers can reuse it.
    number = f"{os.getpid()}{secrets.randbelow(10**9):09}"
    new = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{number}.new")
    try:
        yield new
    except OSError as error:
        if error.errno is None or not str(error.filename or new).startswith(new):
            raise
        name = path + str(error.filename or new)[len(new) :]
        raise OSError(error.errno, os.strerror(error.errno), name) from error


@contextmanager
def replacing_folder(folder: PathLike) -> Iterator[str]:
    """
    Gives the block a new folder. When the block ends, the files of the new folder are moved into
    `folder`: all at once if `folder` does not exist yet, otherwise one by one. Other files in
    `folder` stay. If the block raises, `folder` is unchanged.

    # Raises

    `OSError` with the name of the folder, if it cannot be written.
    """
    folder = os.path.normpath(folder)
    os.makedirs(os.path.dirname(folder) or ".", exist_ok=True)
    with errors_named(folder) as new:
        os.mkdir(new)
        try:
            yield new
            names = os.listdir(new)
            for name in names:
                synchronise(os.path.join(new, name))
            if not os.path.isdir(folder):
                os.rename(new, folder)
            else:
                for name in names:
                    os.replace(os.path.join(new, name), os.path.join(folder, name))
        finally:
            shutil.rmtree(new, ignore_errors=True)
        synchronise(folder)


def synchronise(path: PathLike) -> None:
    """Makes the system write a file, or the entries of a folder, to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (EINVAL, ENOTSUP):  # file systems that cannot do this for a folder
            raise
    finally:
        os.close(descriptor)


def is_written_at_once(path: PathLike) -> bool:
    """
    Returns whether a path is a pipe or a device. Nothing can replace these, since their readers
    wait for them.
    """
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


@contextmanager
def output_stream(path: PathLike) -> Iterator[BinaryIO]:
    """
    Gives the block a stream into a file, which appears when the block ends, as with `replacing`; or
    into a pipe or a device. Creates the folder of a file.

    # Raises

    `OSError` with the name `path`, if it cannot be written.
    """
    path = os.fspath(path)
    if not is_written_at_once(path):
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with replacing(path) as new, open(new, "wb") as file:
            yield file
        return
    try:
        with open(path, "wb") as stream:
            yield stream
    except BrokenPipeError as error:
        error.filename = error.filename or path
        raise


def write(path: PathLike, content: Union[str, bytes]) -> None:
    """Writes the whole content of a file, with text as UTF-8. Creates its folder if needed."""
    with output_stream(path) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def write_json(path: PathLike, content: Any) -> None:
    """Writes JSON in a form that people can read."""
    write(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def read_json(path: PathLike) -> Any:
    """
    # Raises

    `ValueError` if the file is not JSON, and `OSError` if it does not exist.
    """
    return json.loads(Path(path).read_text(encoding="utf-8"))


def holds_json(path: PathLike) -> bool:
    """Whether a file exists and holds complete JSON, unlike a truncated one."""
    try:
        read_json(path)
    except (OSError, ValueError):
        return False
    return True


def file_sha256(path: PathLike) -> str:
    """Returns the checksum of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def is_whole_zip(path: PathLike) -> bool:
    """
    Whether a file exists and is a zip archive, as written by `torch.save` and `numpy.savez`, whose
    records all match their checksums. Reads the file once. Does not notice missing records.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.testzip() is None
    except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile):
        return False


def link_or_copy(source: PathLike, path: PathLike) -> None:
    """Gives `path` the content of `source`, as a hard link where the system supports it."""
    with replacing(path) as new:
        try:
            os.link(source, new)
        except OSError:
            shutil.copy(source, new)


def unfinished(folder: PathLike) -> List[Path]:
    """The files that killed processes have left in a folder."""
    files = Path(folder).iterdir() if os.path.isdir(folder) else ()
    return sorted(file for file in files if UNFINISHED.fullmatch(file.name))


def remove_unfinished(folder: PathLike) -> None:
    """Removes what `unfinished` finds. No other process may be writing into the folder."""
    for file in unfinished(folder):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
