"""
Archives by name: an index of the user's says where an archive lies, and what it has to be.

`SPIGOT_ALLENNLP_INDEX` names the index, by default `spigot_allennlp/archives.json` in the user's
configuration folder (`XDG_CONFIG_HOME`, or `~/.config`): a JSON object with an entry for each name,
`{"dm": {"url": ..., "sha256": ..., "size": ..., "licence": ...}}`. Only what the user asks for by a
name is looked up there; a config in an archive cannot name another one so.
"""

import hashlib
import logging
import os
import re
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO, Dict, NamedTuple, Optional, Union
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from spigot_allennlp.compat.atomic_io import read_json, replacing
from spigot_allennlp.compat.plain_errors import missing_part, plain_error

logger = logging.getLogger(__name__)

INDEX = "SPIGOT_ALLENNLP_INDEX"
ARCHIVE = "model.tar.gz"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
SECONDS_WITHOUT_DATA = 60
CHUNK = 1 << 20  # bytes


class IndexEntry(NamedTuple):
    """
    What an index says of an archive.

    # Parameters

    url : `str`
        Where it is: an address (`https:`, `http:`, `file:`), or a path, from the folder of the
        index on. A folder stands for the `model.tar.gz` in it.
    sha256 : `str`
        The checksum of the file, in hexadecimal digits.
    size : `int`
        The size of the file in bytes.
    licence : `str`
    """

    url: str
    sha256: str
    size: int
    licence: str


def index_path() -> Path:
    """Returns where the index is, whether it is there or not."""
    named = os.environ.get(INDEX)
    if named:
        return Path(named).expanduser()
    folder = os.environ.get("XDG_CONFIG_HOME") or os.path.join("~", ".config")
    return Path(folder).expanduser() / "spigot_allennlp" / "archives.json"


def read_index(path: Path) -> Dict[str, IndexEntry]:
    """
    Reads the index; one that is not there has no entries.

    # Raises

    `ConfigurationError` with the file, the entry and its key, if it is no index.
    """
    try:
        content = read_json(path)
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as error:
        raise plain_error(f"{path} cannot be read as an index of archives: {error}") from error
    if not isinstance(content, dict):
        raise plain_error(f"{path} is no index of archives: it has to be an object, by name")
    return {name: _checked_entry(name, entry, path) for name, entry in content.items()}


def _checked_entry(name: str, entry: Any, path: Path) -> IndexEntry:
    keys = ", ".join(IndexEntry._fields)
    if not NAME.fullmatch(name):
        raise plain_error(f"{path}: the name {name!r} has other characters than A-Z a-z 0-9 _ . -")
    if not isinstance(entry, dict) or set(entry) != set(IndexEntry._fields):
        raise plain_error(f"{path}: the entry {name!r} has to be an object with {keys}, no more")
    is_right = {
        "url": isinstance(entry["url"], str) and entry["url"] != "",
        "sha256": isinstance(entry["sha256"], str)
        and re.fullmatch("[0-9a-fA-F]{64}", entry["sha256"]) is not None,
        "size": type(entry["size"]) is int and entry["size"] > 0,
        "licence": isinstance(entry["licence"], str) and entry["licence"] != "",
    }
    for key, is_valid in is_right.items():
        if not is_valid:
            raise plain_error(
                f"{path}: {key} of the entry {name!r} is {entry[key]!r}. It has to be "
                + {"sha256": "64 hexadecimal digits", "size": "the number of bytes"}.get(
                    key, "a text"
                )
            )
    return IndexEntry(**{**entry, "sha256": entry["sha256"].lower()})


def find_archive(archive: Union[str, "os.PathLike[str]"]) -> str:
    """
    Returns the path of an archive that is named by a path, or by a name of the index. What is there
    in the current folder comes first. An archive of the index is fetched into the cache of AllenNLP
    (`ALLENNLP_CACHE_ROOT`) when it is first asked for; one on this machine is taken from where it
    lies. Either has its checksum computed each time.

    # Raises

    `ConfigurationError` if there is no such path or name, or the file is not that of the index.
    """
    path = os.fspath(archive)
    if not NAME.fullmatch(path) or os.path.exists(path):
        return path
    index = index_path()
    entries = read_index(index)
    if path not in entries:
        known = f"It has {', '.join(sorted(entries))}." if entries else "It has none."
        raise plain_error(
            f"There is neither a file or folder {path!r}, nor an archive of that name in the index "
            f"{index}. {known}{missing_part(path)}"
        )
    return _fetched(path, entries[path], index)


def _fetched(name: str, entry: IndexEntry, index: Path) -> str:
    """Returns the path of a file with the checksum of an entry."""
    parts = urlsplit(entry.url)
    if parts.scheme in ("", "file"):
        local = unquote(parts.path) if parts.scheme else entry.url
        path = index.parent / os.path.expanduser(local)
        path = path / ARCHIVE if path.is_dir() else path
        try:
            with open(path, "rb") as file:
                _copy_checked(file, None, name, entry, index)
        except OSError as error:
            raise plain_error(f"{name} of {index} cannot be read: {error}") from error
        return str(path)
    if parts.scheme not in ("https", "http"):
        raise plain_error(
            f"{index}: the url of {name!r} begins with {parts.scheme}:. Take https:, http:, file:, "
            "or a path"
        )
    from allennlp.common.file_utils import CACHE_DIRECTORY

    cached = Path(CACHE_DIRECTORY, "spigot_allennlp", f"{entry.sha256}.tar.gz")
    if cached.is_file() and file_sha256(cached) == entry.sha256:
        return str(cached)
    cached.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urlopen(entry.url, timeout=SECONDS_WITHOUT_DATA) as response:
            logger.info("Fetching %s (licence: %s) from %s.", name, entry.licence, entry.url)
            with replacing(cached) as new, open(new, "wb") as file:
                _copy_checked(response, file, name, entry, index)
    except (URLError, HTTPException, ConnectionError, TimeoutError) as error:
        reason = error if isinstance(error, HTTPError) else getattr(error, "reason", error)
        raise plain_error(
            f"{name} of {index} cannot be fetched from {entry.url}: {reason}. It is not in the "
            f"cache, either ({cached.parent})"
        ) from error
    return str(cached)


def _copy_checked(
    source: BinaryIO, target: Optional[BinaryIO], name: str, entry: IndexEntry, index: Path
) -> None:
    """
    Reads a source to its end, and writes it to `target` unless that is `None`.

    # Raises

    `ConfigurationError` as soon as it is known that it is not what the entry says.
    """
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if size > entry.size:
            break
        if target is not None:
            target.write(chunk)
    if size == entry.size and digest.hexdigest() == entry.sha256:
        return
    if size != entry.size:
        more = "more than " if size > entry.size else ""
        found = f"has {more}{min(size, entry.size)} bytes, not {entry.size}"
    else:
        found = f"has the checksum {digest.hexdigest()}, not {entry.sha256}"
    raise plain_error(
        f"{name} is refused: {entry.url} {found}, as {index} says. Either it was damaged or "
        "replaced, or the entry is of another version; ask whoever gave it to you"
    )


def file_sha256(path: Union[str, "os.PathLike[str]"]) -> str:
    """Returns the checksum of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
